"""A picture to send."""

from core.chart import Chart, Point, Share, draw
from core.message import Line, Message, Picture, Strong

CHART = Chart(
    title="Acme NPS",
    when="week of 16 November",
    score="27",
    beside=("chance range 21–34", "598 answers, last 4 weeks"),
    verdict="Up 13: chance alone rarely does this.",
    shares=(Share(50, "50 gladly recommend us"), Share(28, "28 are lukewarm"), Share(22, "22 would not")),
    points=(Point("9 Nov", 14, 5, 22), Point("16 Nov", 27, 21, 34)),
)
PICTURE = Picture(draw(CHART), "NPS 27. Up 13: chance alone rarely does this.")
REPORT = Message(
    (Strong("Acme: NPS 27, last 4 weeks. <b>"), Line("598 answers & *more*"), Line("See you.")), picture=PICTURE
)
SHOWN = "Acme: NPS 27, last 4 weeks. <b>\n598 answers & *more*\nSee you."

PNG = b"\x89PNG\r\n\x1a\n"
