-- The deeds: each is called once in its transaction. Names and order of locks as in 0002_sheets.sql.

-- The rules are those the engine decided on, and stay so until the end of this transaction.
CREATE FUNCTION booking_check_rules(p_shop bigint, p_revision bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM shops_shop s WHERE s.shop_id = p_shop AND s.rules_revision = p_revision FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rules_changed' USING ERRCODE = 'NR002';
    END IF;
END
$$;

-- Seats of a class: a conditional write of their count; in the way of expired holds these are swept, once.
CREATE FUNCTION booking_take_seats(p_shop bigint, p_now timestamptz, p_session bigint, p_party integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    stale bigint[];
BEGIN
    UPDATE booking_classsession s SET booked = s.booked + p_party
    WHERE s.shop_id = p_shop AND s.id = p_session AND NOT s.cancelled AND s.booked + p_party <= s.capacity;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id = p_session AND NOT s.cancelled FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_such_session' USING ERRCODE = 'NR007';
    END IF;
    SELECT coalesce(array_agg(b.id), '{}') INTO stale FROM (
        SELECT h.id FROM booking_booking h
        WHERE h.shop_id = p_shop AND h.session_id = p_session AND h.status = 'held' AND h.expires_at <= p_now
        ORDER BY h.id FOR NO KEY UPDATE SKIP LOCKED) b;
    UPDATE booking_classsession s SET booked = s.booked + p_party - (
        SELECT coalesce(sum(b.party), 0) FROM booking_booking b WHERE b.shop_id = p_shop AND b.id = ANY (stale))
    WHERE s.shop_id = p_shop AND s.id = p_session AND s.booked + p_party - (
        SELECT coalesce(sum(b.party), 0) FROM booking_booking b WHERE b.shop_id = p_shop AND b.id = ANY (stale)
        ) <= s.capacity;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_seats' USING ERRCODE = 'NR003';
    END IF;
    PERFORM booking_mark_expired(p_shop, p_now, stale);
END
$$;

-- A hold. `p_booking` are the row's values; with a session it takes seats, else the claims. Returns its id.
CREATE FUNCTION booking_hold(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean,
    p_booking jsonb, p_claims jsonb, p_idempotency bytea, p_by text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    b record;
    new_id bigint;
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_booking) AS x (service_id bigint, session_id bigint, staff_id bigint,
        asked_staff_id bigint, "start" timestamptz, "end" timestamptz, wall text, zone text, party integer,
        expires_at timestamptz, agreed jsonb);
    PERFORM booking_check_rules(p_shop, p_revision);
    IF b.session_id IS NOT NULL THEN
        PERFORM booking_take_seats(p_shop, p_now, b.session_id, b.party);
    ELSE
        PERFORM booking_take_swept(p_shop, p_now, p_added, p_claims);
    END IF;
    INSERT INTO booking_booking (shop_id, service_id, session_id, staff_id, asked_staff_id, start, "end", wall, zone,
        party, status, expires_at, locale, generation, changes, idempotency, agreed, rules_revision, created_at)
    VALUES (p_shop, b.service_id, b.session_id, b.staff_id, b.asked_staff_id, b."start", b."end", b.wall, b.zone,
        b.party, 'held', b.expires_at, '', 1, 0, p_idempotency, b.agreed, p_revision, p_now)
    RETURNING id INTO new_id;
    IF b.session_id IS NULL THEN
        PERFORM booking_write_claims(p_shop, p_claims, new_id, NULL, NULL);
    END IF;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, new_id, p_now, p_by, 'held', '', '{}');
    RETURN new_id;
END
$$;

-- Hold -> booking: only the status changes, nothing is taken. Returns false where it had been done already.
CREATE FUNCTION booking_confirm(p_shop bigint, p_now timestamptz, p_id bigint, p_person uuid, p_locale text,
    p_agreed jsonb, p_reminder_job bigint, p_by text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE booking_booking b SET status = 'confirmed', expires_at = NULL, person_id = p_person,
        locale = p_locale, agreed = b.agreed || p_agreed, reminder_job = p_reminder_job
    WHERE b.shop_id = p_shop AND b.id = p_id AND b.status = 'held' AND b.expires_at > p_now;
    IF NOT FOUND THEN
        PERFORM FROM booking_booking b WHERE b.shop_id = p_shop AND b.id = p_id
            AND b.status = 'confirmed' AND b.person_id = p_person;
        IF FOUND THEN
            RETURN false;
        END IF;
        RAISE EXCEPTION 'hold_expired' USING ERRCODE = 'NR004';
    END IF;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, p_id, p_now, p_by, 'confirmed', '', '{}');
    RETURN true;
END
$$;

-- Ends a booking or a hold: capacity is free at once. p_from are the statuses it may have, p_status the new one.
CREATE FUNCTION booking_end(p_shop bigint, p_now timestamptz, p_id bigint, p_from text[], p_status text,
    p_by text, p_why text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    b record;
BEGIN
    SELECT * INTO b FROM booking_booking x WHERE x.shop_id = p_shop AND x.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_such_booking' USING ERRCODE = 'NR006';
    END IF;
    IF b.status <> ALL (p_from) OR (p_status = 'expired' AND b.expires_at > p_now) THEN
        RAISE EXCEPTION 'not_active' USING ERRCODE = 'NR005';
    END IF;
    UPDATE booking_booking x SET status = p_status, expires_at = NULL, changes = x.changes + 1, reminder_job = NULL,
        idempotency = CASE WHEN p_status IN ('expired', 'released') THEN NULL ELSE x.idempotency END
    WHERE x.shop_id = p_shop AND x.id = p_id;
    IF b.session_id IS NOT NULL THEN
        UPDATE booking_classsession s SET booked = s.booked - b.party
        WHERE s.shop_id = p_shop AND s.id = b.session_id;
    ELSE
        PERFORM booking_give_back(p_shop, ARRAY[p_id], '{}', '{}');
    END IF;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, p_id, p_now, p_by, p_status, p_why, '{}');
END
$$;

-- A move gives back and takes in one transaction, so that a booking may overlap itself.
CREATE FUNCTION booking_move(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean, p_id bigint,
    p_booking jsonb, p_claims jsonb, p_by text, p_why text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    old record;
    b record;
    stale bigint[] := '{}';
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_booking) AS x (session_id bigint, staff_id bigint,
        asked_staff_id bigint, "start" timestamptz, "end" timestamptz, wall text, zone text, agreed jsonb);
    PERFORM booking_check_rules(p_shop, p_revision);
    SELECT * INTO old FROM booking_booking x WHERE x.shop_id = p_shop AND x.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_such_booking' USING ERRCODE = 'NR006';
    END IF;
    IF old.status NOT IN ('pending', 'confirmed') THEN
        RAISE EXCEPTION 'not_active' USING ERRCODE = 'NR005';
    END IF;
    IF (old.session_id IS NULL) <> (b.session_id IS NULL) THEN
        -- The service was no class when this was booked, or is none now: its seats and its claims do not mix.
        RAISE EXCEPTION 'no_such_session' USING ERRCODE = 'NR007';
    END IF;
    IF old.session_id IS NOT NULL THEN
        -- Both sessions are locked in order before one gives and the other takes.
        PERFORM FROM booking_classsession s
        WHERE s.shop_id = p_shop AND s.id IN (old.session_id, b.session_id) ORDER BY s.id FOR NO KEY UPDATE;
        UPDATE booking_classsession s SET booked = s.booked - old.party
        WHERE s.shop_id = p_shop AND s.id = old.session_id;
        PERFORM booking_take_seats(p_shop, p_now, b.session_id, old.party);
    ELSE
        stale := booking_stale(p_shop, p_now, p_claims);
        PERFORM booking_mark_expired(p_shop, p_now, stale);
        PERFORM booking_give_back(p_shop, ARRAY[p_id] || stale, '{}', '{}', p_claims);
        PERFORM booking_take(p_shop, p_added, p_claims);
        PERFORM booking_write_claims(p_shop, p_claims, p_id, NULL, NULL);
    END IF;
    UPDATE booking_booking x SET session_id = b.session_id, staff_id = b.staff_id, asked_staff_id = b.asked_staff_id,
        start = b."start", "end" = b."end", wall = b.wall, zone = b.zone, agreed = x.agreed || b.agreed,
        changes = x.changes + 1, rules_revision = p_revision
    WHERE x.shop_id = p_shop AND x.id = p_id;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, p_id, p_now, p_by, 'moved', p_why,
        jsonb_build_object('from', old.start, 'to', b."start", 'from_staff', old.staff_id, 'to_staff', b.staff_id));
END
$$;

-- A date of a class takes its resources once. Returns null where there is one already.
CREATE FUNCTION booking_open_session(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean,
    p_session jsonb, p_claims jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    b record;
    new_id bigint;
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_session) AS x (service_id bigint, staff_id bigint, "start" timestamptz,
        "end" timestamptz, capacity integer);
    PERFORM booking_check_rules(p_shop, p_revision);
    INSERT INTO booking_classsession (shop_id, service_id, staff_id, start, "end", capacity, booked, cancelled)
    VALUES (p_shop, b.service_id, b.staff_id, b."start", b."end", b.capacity, 0, false)
    ON CONFLICT (shop_id, service_id, start) DO NOTHING
    RETURNING id INTO new_id;
    IF new_id IS NOT NULL THEN
        PERFORM booking_take_swept(p_shop, p_now, p_added, p_claims);
        PERFORM booking_write_claims(p_shop, p_claims, NULL, new_id, NULL);
    END IF;
    RETURN new_id;
END
$$;

-- A block asks nobody: it may lie over bookings, which keep their claims. Returns its id.
CREATE FUNCTION booking_add_block(p_shop bigint, p_now timestamptz, p_block jsonb, p_claims jsonb, p_by text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    b record;
    new_id bigint;
    resources bigint[];
    days date[];
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_block) AS x (resource_id bigint, "start" timestamptz,
        "end" timestamptz, kind text, why text);
    INSERT INTO booking_block (shop_id, resource_id, start, "end", kind, by, why, created_at)
    VALUES (p_shop, b.resource_id, b."start", b."end", b.kind, p_by, b.why, p_now)
    RETURNING id INTO new_id;
    SELECT array_agg(c.resource_id), array_agg(c.day) INTO resources, days FROM booking_claim_days(p_claims) c;
    PERFORM booking_lock_days(p_shop, resources, days);
    PERFORM booking_write_claims(p_shop, p_claims, NULL, NULL, new_id);
    PERFORM booking_recompute(p_shop, resources, days);
    RETURN new_id;
END
$$;

CREATE FUNCTION booking_remove_block(p_shop bigint, p_id bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM booking_block b WHERE b.shop_id = p_shop AND b.id = p_id FOR NO KEY UPDATE;
    PERFORM booking_give_back(p_shop, '{}', '{}', ARRAY[p_id]);
    DELETE FROM booking_block b WHERE b.shop_id = p_shop AND b.id = p_id;
END
$$;
