"""Which query parameters X knows, which values they take, and what is in an answer when nothing was asked for.

The names of X API 2.159 (``tweet.fields``) and of 2.167 (``post.fields``) side by side.
Source: https://docs.x.com/x-api/fundamentals/fields and the OpenAPI description at https://api.x.com/2/openapi.json
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TWEET_FIELDS = _words(
    "article attachments author_id card_uri community_id context_annotations conversation_id created_at "
    "display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang media_metadata "
    "non_public_metrics note_tweet organic_metrics possibly_sensitive promoted_metrics public_metrics "
    "referenced_tweets reply_settings scopes source suggested_source_links suggested_source_links_with_counts text "
    "withheld"
)
POST_FIELDS = _words(
    "article article_title attachments card_uri community_id context_annotations conversation_id created_at "
    "display_text_range edit_controls entities geo id lang matched_media_notes media_metadata non_public_metrics "
    "note_post note_request_suggestions organic_metrics paid_partnership possibly_sensitive promoted_metrics "
    "public_metrics reply_settings scopes source suggested_source_links suggested_source_links_with_counts text "
    "withheld"
)
POLL_FIELDS = _words("duration_minutes end_datetime id options voting_status")
USER_FIELDS = _words(
    "affiliation confirmed_email connection_status created_at description entities id is_identity_verified location "
    "most_recent_tweet_id name parody pinned_tweet_id profile_banner_url profile_image_url protected public_metrics "
    "receives_your_dm subscribes_to_you subscription subscription_type url username verified verified_followers_count "
    "verified_type withheld"
)
MEDIA_FIELDS = _words(
    "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url promoted_metrics "
    "public_metrics type url variants width"
)
PLACE_FIELDS = _words("contained_within country country_code full_name geo id name place_type")
DM_EVENT_FIELDS = _words(
    "attachments created_at dm_conversation_id entities event_type id participant_ids referenced_tweets sender_id text"
)
EVENT_TYPES = _words("MessageCreate ParticipantsJoin ParticipantsLeave")
EXCLUDE = _words("replies retweets")

TWEET_EXPANSIONS = _words(
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet "
    "attachments.poll_ids author_id edit_history_tweet_ids entities.mentions.username geo.place_id "
    "in_reply_to_user_id entities.note.mentions.username referenced_tweets.id "
    "referenced_tweets.id.attachments.media_keys referenced_tweets.id.author_id "
    "edit_history_post_ids referenced_posts username"
)
USER_EXPANSIONS = _words(
    "affiliation.user_id most_recent_tweet_id pinned_tweet_id affiliation most_recent_post_id pinned_post_id"
)
DM_EXPANSIONS = _words("attachments.media_keys participant_ids referenced_tweets.id sender_id referenced_posts")

LISTS: dict[str, frozenset[str]] = {
    "tweet.fields": TWEET_FIELDS,
    "post.fields": POST_FIELDS,
    "poll.fields": POLL_FIELDS,
    "user.fields": USER_FIELDS,
    "media.fields": MEDIA_FIELDS,
    "place.fields": PLACE_FIELDS,
    "dm_event.fields": DM_EVENT_FIELDS,
    "event_types": EVENT_TYPES,
    "exclude": EXCLUDE,
}
"""Comma separated parameters whose values do not depend on the endpoint."""

TWEET_QUERY = _words("tweet.fields post.fields expansions media.fields poll.fields user.fields place.fields")
USER_QUERY = _words("user.fields expansions tweet.fields post.fields")
DM_QUERY = _words(
    "max_results pagination_token event_types dm_event.fields expansions media.fields user.fields tweet.fields "
    "post.fields"
)
PAGE_QUERY = _words("since_id until_id max_results pagination_token start_time end_time")

TWEET_DEFAULT = _words("id text edit_history_tweet_ids")
POLL_DEFAULT = _words("id options")
USER_DEFAULT = _words("id name username")
MEDIA_DEFAULT = _words("media_key type")
DM_DEFAULT = _words("id event_type text")
