-- Dates of classes, and blocks. Names and order of locks as in 0002_sheets.sql.

-- A date of a class takes its resources once. Returns null where there is one already: at that time, or one that
-- was planned for it and has been moved or cancelled since.
CREATE FUNCTION booking_open_session(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean,
    p_session jsonb, p_claims jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    b record;
    new_id bigint;
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_session) AS x (service_id bigint, staff_id bigint, "start" timestamptz,
        "end" timestamptz, capacity integer, decided_at timestamptz);
    PERFORM booking_check_rules(p_shop, p_revision);
    INSERT INTO booking_classsession (shop_id, service_id, staff_id, planned, start, "end", capacity, booked,
        cancelled, decided_at)
    VALUES (p_shop, b.service_id, b.staff_id, b."start", b."start", b."end", b.capacity, 0, false, b.decided_at)
    ON CONFLICT DO NOTHING
    RETURNING id INTO new_id;
    IF new_id IS NOT NULL THEN
        PERFORM booking_take_swept(p_shop, p_now, p_added, p_claims);
        PERFORM booking_write_claims(p_shop, p_claims, NULL, new_id, NULL);
    END IF;
    RETURN new_id;
END
$$;

-- The holds and standing bookings of a date, in order: those that its change concerns.
CREATE FUNCTION booking_attending(p_shop bigint, p_id bigint) RETURNS bigint[]
LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(x.id ORDER BY x.id), '{}') FROM booking_booking x
    WHERE x.shop_id = p_shop AND x.session_id = p_id
        AND x.status IN ('held', 'pending', 'confirmed', 'checked_in', 'no_show')
$$;

-- Locks them, then the date itself. Who has come in before the date was locked is not among those that were
-- locked: then everything is let go and locked in order once more. Returns them. Raises no_such_session.
CREATE FUNCTION booking_lock_session(p_shop bigint, p_id bigint) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    LOOP
        ids := booking_attending(p_shop, p_id);
        BEGIN
            PERFORM FROM booking_booking x
            WHERE x.shop_id = p_shop AND x.id = ANY (ids) ORDER BY x.id FOR NO KEY UPDATE;
            PERFORM FROM booking_classsession s
            WHERE s.shop_id = p_shop AND s.id = p_id AND NOT s.cancelled FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'no_such_session' USING ERRCODE = 'NR007';
            END IF;
            IF booking_attending(p_shop, p_id) <@ ids THEN
                RETURN booking_attending(p_shop, p_id);
            END IF;
            RAISE EXCEPTION 'others_have_come' USING ERRCODE = 'NR003';
        EXCEPTION WHEN SQLSTATE 'NR003' THEN
            CONTINUE;
        END;
    END LOOP;
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

-- Another time, another teacher: those who have booked stay, are told and choose (attention `moved`); until they
-- have, nothing they agreed to about cancelling binds them (agreement.py). Who had come, or not, comes anew.
-- Returns them.
CREATE FUNCTION booking_move_session(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean,
    p_id bigint, p_session jsonb, p_claims jsonb, p_by text, p_why text) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
    stale bigint[];
    old record;
    b record;
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_session) AS x (staff_id bigint, "start" timestamptz, "end" timestamptz,
        wall text, zone text, decided_at timestamptz);
    PERFORM booking_check_rules(p_shop, p_revision);
    ids := booking_lock_session(p_shop, p_id);
    SELECT * INTO old FROM booking_classsession s WHERE s.shop_id = p_shop AND s.id = p_id;
    PERFORM booking_release_holds(p_shop, p_now, ids, p_by, p_why);
    ids := booking_attending(p_shop, p_id);
    -- All days, of the holds that are swept too, are locked in one pass.
    stale := booking_stale(p_shop, p_now, p_claims);
    PERFORM booking_mark_expired(p_shop, p_now, stale);
    PERFORM booking_give_back(p_shop, stale, ARRAY[p_id], '{}', p_claims);
    PERFORM booking_take(p_shop, p_added, p_claims);
    PERFORM booking_write_claims(p_shop, p_claims, NULL, p_id, NULL);
    UPDATE booking_booking x SET staff_id = b.staff_id, start = b."start", "end" = b."end", wall = b.wall,
        zone = b.zone, changes = x.changes + 1, attention = 'moved', rules_revision = p_revision,
        status = CASE WHEN x.status = 'pending' THEN 'pending' ELSE 'confirmed' END
    WHERE x.shop_id = p_shop AND x.id = ANY (ids);
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    SELECT p_shop, i, p_now, p_by, 'session_moved', p_why,
        jsonb_build_object('from', old.start, 'to', b."start", 'from_staff', old.staff_id, 'to_staff', b.staff_id,
            'from_end', old."end", 'to_end', b."end")
    FROM unnest(ids) AS i;
    UPDATE booking_classsession s SET staff_id = b.staff_id, start = b."start", "end" = b."end",
        decided_at = b.decided_at, booked = booking_seats(p_shop, p_id)
    WHERE s.shop_id = p_shop AND s.id = p_id;
    RETURN ids;
END
$$;

-- The date does not take place: its bookings are cancelled, its resources free. Returns those who are to be told;
-- null, and nothing is done, where `p_fewer` is given and it is not time to decide yet, or as many are booked.
CREATE FUNCTION booking_cancel_session(p_shop bigint, p_now timestamptz, p_id bigint, p_fewer integer, p_by text,
    p_why text, p_facts jsonb) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    ids := booking_lock_session(p_shop, p_id);
    IF p_fewer IS NOT NULL THEN
        PERFORM FROM booking_classsession s
        WHERE s.shop_id = p_shop AND s.id = p_id AND s.decided_at <= p_now AND p_fewer > (
            SELECT coalesce(sum(x.party), 0) FROM booking_booking x
            WHERE x.shop_id = p_shop AND x.id = ANY (ids) AND x.takes AND x.status <> 'held');
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    PERFORM booking_release_holds(p_shop, p_now, ids, p_by, p_why);
    ids := booking_attending(p_shop, p_id);
    UPDATE booking_booking x SET status = 'cancelled', takes = false, attention = '', changes = x.changes + 1
    WHERE x.shop_id = p_shop AND x.id = ANY (ids);
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    SELECT p_shop, i, p_now, p_by, 'cancelled', p_why, p_facts FROM unnest(ids) AS i;
    UPDATE booking_classsession s SET cancelled = true, booked = booking_seats(p_shop, p_id)
    WHERE s.shop_id = p_shop AND s.id = p_id;
    PERFORM booking_give_back(p_shop, '{}', ARRAY[p_id], '{}');
    RETURN ids;
END
$$;

-- Seats that are taken, counted.
CREATE FUNCTION booking_seats(p_shop bigint, p_id bigint) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(x.party), 0)::integer FROM booking_booking x
    WHERE x.shop_id = p_shop AND x.session_id = p_id AND x.takes
$$;

-- Another number of seats. Returns how many are taken: where these are more, the caller may take it back. Nobody is
-- dropped. Raises no_such_session.
CREATE FUNCTION booking_resize_session(p_shop bigint, p_now timestamptz, p_id bigint, p_capacity integer)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    taken integer;
BEGIN
    PERFORM FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id = p_id AND NOT s.cancelled FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_such_session' USING ERRCODE = 'NR007';
    END IF;
    PERFORM booking_sweep_seats(p_shop, p_now, p_id);
    UPDATE booking_classsession s SET capacity = p_capacity WHERE s.shop_id = p_shop AND s.id = p_id
    RETURNING s.booked INTO taken;
    RETURN taken;
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
