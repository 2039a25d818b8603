-- The tables of schema 1, as that version of Vouch made them on PostgreSQL.

CREATE TABLE count (
    account VARCHAR NOT NULL,
    ref VARCHAR NOT NULL,
    totals VARCHAR NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    final BOOLEAN NOT NULL,
    PRIMARY KEY (account, ref)
);

CREATE TABLE cursor (
    account VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (account, name)
);

CREATE TABLE kept (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE outbox (
    id SERIAL NOT NULL,
    key VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    person_id INTEGER,
    place VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    wave_id INTEGER,
    channel VARCHAR NOT NULL,
    priority INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE,
    claimed_at TIMESTAMP WITH TIME ZONE,
    settled_at TIMESTAMP WITH TIME ZONE,
    receipt VARCHAR NOT NULL,
    error VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key)
);

CREATE INDEX outbox_asked ON outbox (wave_id, person_id) WHERE wave_id IS NOT NULL;

CREATE INDEX outbox_due ON outbox (account, state, priority, id);

CREATE TABLE person (
    id SERIAL NOT NULL,
    account VARCHAR NOT NULL,
    platform_id VARCHAR NOT NULL,
    language VARCHAR,
    opened BOOLEAN NOT NULL,
    stopped BOOLEAN NOT NULL,
    blocked BOOLEAN NOT NULL,
    owed INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (account, platform_id)
);

CREATE TABLE rollup (
    channel VARCHAR NOT NULL,
    wave_id INTEGER NOT NULL,
    later_id INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (channel, wave_id, later_id, low, high)
);

CREATE TABLE wave (
    id SERIAL NOT NULL,
    survey VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    scale VARCHAR NOT NULL,
    opens_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (survey, key),
    UNIQUE (code)
);

CREATE INDEX ix_wave_closes_at ON wave (closes_at);

CREATE TABLE ask (
    id SERIAL NOT NULL,
    key VARCHAR NOT NULL,
    wave_id INTEGER NOT NULL,
    channel VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    ballot VARCHAR NOT NULL,
    named BOOLEAN NOT NULL,
    place VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (key),
    FOREIGN KEY(wave_id) REFERENCES wave (id)
);

CREATE INDEX ix_ask_wave_id ON ask (wave_id);

CREATE TABLE consent (
    account VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    person_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    place VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account, event),
    FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_consent_person_id ON consent (person_id);

CREATE TABLE reply (
    account VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    person_id INTEGER NOT NULL,
    via VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    ord BIGINT NOT NULL,
    ref VARCHAR,
    option INTEGER,
    withdrawn BOOLEAN NOT NULL,
    place VARCHAR NOT NULL,
    token VARCHAR,
    text VARCHAR NOT NULL,
    wave_id INTEGER,
    outcome VARCHAR NOT NULL,
    PRIMARY KEY (account, event),
    FOREIGN KEY(person_id) REFERENCES person (id),
    FOREIGN KEY(wave_id) REFERENCES wave (id)
);

CREATE INDEX reply_waiting ON reply (account, ref) WHERE outcome = 'waiting';

CREATE TABLE response (
    person_id INTEGER NOT NULL,
    wave_id INTEGER NOT NULL,
    later_id INTEGER,
    channel VARCHAR NOT NULL,
    ask_id INTEGER,
    via VARCHAR NOT NULL,
    low INTEGER,
    high INTEGER,
    ord BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    comment VARCHAR NOT NULL,
    PRIMARY KEY (person_id, wave_id),
    CHECK (low IS NULL OR (low BETWEEN 0 AND 10 AND high BETWEEN low AND 10 AND NOT (low <= 6 AND high > 6) AND NOT (low <= 8 AND high > 8))),
    FOREIGN KEY(person_id) REFERENCES person (id),
    FOREIGN KEY(wave_id) REFERENCES wave (id)
);

CREATE INDEX ix_response_wave_id ON response (wave_id);

CREATE TABLE ref (
    account VARCHAR NOT NULL,
    ref VARCHAR NOT NULL,
    wave_id INTEGER NOT NULL,
    channel VARCHAR NOT NULL,
    ask_id INTEGER,
    PRIMARY KEY (account, ref),
    FOREIGN KEY(wave_id) REFERENCES wave (id),
    FOREIGN KEY(ask_id) REFERENCES ask (id)
);

CREATE INDEX ix_ref_ask_id ON ref (ask_id);
