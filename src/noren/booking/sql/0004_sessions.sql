-- Dates of classes, and blocks. Names and order of locks as in 0002_sheets.sql.

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

-- The bookings of a date that take seats, locked in order; then the date itself. Raises no_such_session.
CREATE FUNCTION booking_lock_session(p_shop bigint, p_id bigint) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    found_ids bigint[];
BEGIN
    SELECT coalesce(array_agg(b.id), '{}') INTO found_ids FROM (
        SELECT x.id FROM booking_booking x
        WHERE x.shop_id = p_shop AND x.session_id = p_id AND x.status IN ('held', 'pending', 'confirmed')
        ORDER BY x.id FOR NO KEY UPDATE) b;
    PERFORM FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id = p_id AND NOT s.cancelled FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_such_session' USING ERRCODE = 'NR007';
    END IF;
    RETURN found_ids;
END
$$;

-- A form that is being filled for a date that changes cannot be finished: nobody is booked where they did not look.
CREATE FUNCTION booking_release_holds(p_shop bigint, p_now timestamptz, p_ids bigint[], p_by text, p_why text)
RETURNS void
LANGUAGE sql AS $$
    WITH gone AS (
        UPDATE booking_booking x SET status = 'released', takes = false, expires_at = NULL, idempotency = NULL,
            changes = x.changes + 1
        WHERE x.shop_id = p_shop AND x.id = ANY (p_ids) AND x.status = 'held'
        RETURNING x.id)
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    SELECT p_shop, g.id, p_now, p_by, 'released', p_why, '{}' FROM gone g
$$;

-- Another time, another teacher: those who have booked stay, are told and choose (attention `moved`); so what they
-- agreed to about cancelling no longer binds them (`p_agreed`). Returns them.
CREATE FUNCTION booking_move_session(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean,
    p_id bigint, p_session jsonb, p_claims jsonb, p_agreed jsonb, p_by text, p_why text) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
    old record;
    b record;
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_session) AS x (staff_id bigint, "start" timestamptz, "end" timestamptz,
        wall text, zone text);
    PERFORM booking_check_rules(p_shop, p_revision);
    ids := booking_lock_session(p_shop, p_id);
    SELECT * INTO old FROM booking_classsession s WHERE s.shop_id = p_shop AND s.id = p_id;
    PERFORM booking_give_back(p_shop, '{}', ARRAY[p_id], '{}', p_claims);
    PERFORM booking_take_swept(p_shop, p_now, p_added, p_claims);
    PERFORM booking_write_claims(p_shop, p_claims, NULL, p_id, NULL);
    PERFORM booking_release_holds(p_shop, p_now, ids, p_by, p_why);
    UPDATE booking_booking x SET staff_id = b.staff_id, start = b."start", "end" = b."end", wall = b.wall,
        zone = b.zone, changes = x.changes + 1, agreed = x.agreed || p_agreed, attention = 'moved'
    WHERE x.shop_id = p_shop AND x.id = ANY (ids) AND x.status IN ('pending', 'confirmed');
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    SELECT p_shop, x.id, p_now, p_by, 'session_moved', p_why,
        jsonb_build_object('from', old.start, 'to', b."start", 'from_staff', old.staff_id, 'to_staff', b.staff_id)
    FROM booking_booking x
    WHERE x.shop_id = p_shop AND x.id = ANY (ids) AND x.status IN ('pending', 'confirmed');
    UPDATE booking_classsession s SET staff_id = b.staff_id, start = b."start", "end" = b."end", booked = (
        SELECT coalesce(sum(x.party), 0) FROM booking_booking x
        WHERE x.shop_id = p_shop AND x.session_id = p_id AND x.takes)
    WHERE s.shop_id = p_shop AND s.id = p_id;
    RETURN ARRAY(SELECT x.id FROM booking_booking x WHERE x.shop_id = p_shop AND x.id = ANY (ids)
        AND x.status IN ('pending', 'confirmed') ORDER BY x.id);
END
$$;

-- The date does not take place: its bookings are cancelled, its resources free. Returns those who are to be told.
CREATE FUNCTION booking_cancel_session(p_shop bigint, p_now timestamptz, p_id bigint, p_by text, p_why text,
    p_facts jsonb) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
    told bigint[];
BEGIN
    ids := booking_lock_session(p_shop, p_id);
    PERFORM booking_release_holds(p_shop, p_now, ids, p_by, p_why);
    SELECT coalesce(array_agg(x.id ORDER BY x.id), '{}') INTO told FROM booking_booking x
    WHERE x.shop_id = p_shop AND x.id = ANY (ids) AND x.status IN ('pending', 'confirmed');
    UPDATE booking_booking x SET status = 'cancelled', takes = false, attention = '', changes = x.changes + 1
    WHERE x.shop_id = p_shop AND x.id = ANY (told);
    UPDATE booking_classsession s SET cancelled = true, booked = (
        SELECT coalesce(sum(x.party), 0) FROM booking_booking x
        WHERE x.shop_id = p_shop AND x.session_id = p_id AND x.takes)
    WHERE s.shop_id = p_shop AND s.id = p_id;
    PERFORM booking_give_back(p_shop, '{}', ARRAY[p_id], '{}');
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    SELECT p_shop, i, p_now, p_by, 'cancelled', p_why, p_facts FROM unnest(told) AS i;
    RETURN told;
END
$$;

-- Counts the seats anew (noren doctor --repair). Whoever takes or gives seats writes the date's row first, so that
-- under its lock the bookings and their count belong together. Returns what was counted before, and now.
CREATE FUNCTION booking_recount(p_shop bigint, p_id bigint) RETURNS integer[]
LANGUAGE plpgsql AS $$
DECLARE
    old integer;
    counted integer;
BEGIN
    SELECT s.booked INTO old FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id = p_id FOR NO KEY UPDATE;
    SELECT coalesce(sum(b.party), 0) INTO counted FROM booking_booking b
    WHERE b.shop_id = p_shop AND b.session_id = p_id AND b.takes;
    UPDATE booking_classsession s SET booked = counted
    WHERE s.shop_id = p_shop AND s.id = p_id AND s.booked <> counted;
    RETURN ARRAY[old, counted];
END
$$;

-- A block asks nobody: it may lie over bookings, which keep their claims. Returns its id.
CREATE FUNCTION booking_add_block(p_shop bigint, p_now timestamptz, p_block jsonb, p_claims jsonb, p_by text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    b record;
    new_id bigint;
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_block) AS x (resource_id bigint, "start" timestamptz,
        "end" timestamptz, kind text, why text);
    INSERT INTO booking_block (shop_id, resource_id, start, "end", kind, by, why, created_at)
    VALUES (p_shop, b.resource_id, b."start", b."end", b.kind, p_by, b.why, p_now)
    RETURNING id INTO new_id;
    PERFORM booking_take_over(p_shop, p_claims, NULL, NULL, new_id);
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
