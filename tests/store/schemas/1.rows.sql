-- Something in every table of schema 1.

INSERT INTO kept VALUES ('schema', '1'), ('seal', '5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e');
INSERT INTO wave VALUES (1, 'acme', '2026-W45', 'abcdefgh', '0-10', '2026-11-02 00:00:00.000000+00', '2026-11-09 00:00:00.000000+00');
INSERT INTO person VALUES (1, 'tg', 'ann', 'en', true, false, false, 0), (2, 'tg', 'bob', NULL, true, true, false, 3);
INSERT INTO ask VALUES (1, 'ask:acme:2026-W45:group:0', 1, 'group', 'tg', 'poll', '0-10', true, '-1001', '77', '2026-11-02 09:00:00.000000+00', NULL);
INSERT INTO ref VALUES ('tg', 'poll:1', 1, 'group', 1), ('tg', 'message:9', 1, 'dm', NULL);
INSERT INTO consent VALUES ('tg', 'u1', 1, 'granted', 'pressed start', 'direct', '2026-11-01 10:00:00.000000+00');
INSERT INTO reply VALUES ('tg', 'u2', 1, 'vote', '2026-11-03 10:00:00.123456+00', 4611686018427387904, 'poll:1', 9, false, '', NULL, '', 1, 'counted');
INSERT INTO response VALUES (1, 1, NULL, 'group', 1, 'vote', 9, 9, 4611686018427387904, '2026-11-03 10:00:00.123456+00', 'grüße, 你好');
INSERT INTO rollup VALUES ('group', 1, 0, 9, 9, 1);
INSERT INTO count VALUES ('tg', 'poll:1', '[0, 1]', '2026-11-03 11:00:00.000000+00', false);
INSERT INTO cursor VALUES ('tg', 'offset', '3');
INSERT INTO outbox VALUES
  (1, 'ask:acme:2026-W45:group:0', 'tg', 'ask', NULL, '-1001', '{}', 1, 'group', 3, 'sent', '2026-11-02 09:00:00.000000+00', '2026-11-02 09:00:00.000000+00', '2026-11-09 00:00:00.000000+00', '2026-11-02 09:00:00.000000+00', '2026-11-02 09:00:01.000000+00', '{}', ''),
  (2, 'invitation:acme:2026-W45:tg/2:0', 'tg', 'invitation', 2, '', '{}', 1, 'dm', 4, 'sending', '2026-11-02 09:00:00.000000+00', '2026-11-02 09:00:00.000000+00', NULL, '2026-11-02 09:00:00.000000+00', NULL, '', '');
