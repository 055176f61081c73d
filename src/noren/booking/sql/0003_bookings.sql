-- The deeds: each is called once in its transaction (a series locks first, by booking_lock_series, all that its
-- dates may touch). Names and order of locks as in 0002_sheets.sql.

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

-- What is used of limits: for each asked the bookings that begin in [begin, until), and the minutes of those that
-- lie in it. `since`: no booking that reaches into it begins before. Minutes from the epoch. A limit of staff
-- counts by claims: also the second of two teachers. Expired holds and `p_own` are not counted.
CREATE FUNCTION booking_used(p_shop bigint, p_now timestamptz, p_asked jsonb, p_own bigint)
RETURNS TABLE (n integer, used_count integer, used_minutes integer)
LANGUAGE sql STABLE AS $$
    SELECT q.n, (count(*) FILTER (WHERE b.start >= q.begins))::integer,
        (sum(extract(epoch FROM least(b."end", q.ends) - greatest(b.start, q.begins))) / 60)::integer
    FROM (
        SELECT a.*, to_timestamp(a.since * 60) AS earliest, to_timestamp(a."begin" * 60) AS begins,
            to_timestamp(a.until * 60) AS ends
        FROM jsonb_to_recordset(p_asked) AS a (n integer, "of" text, subject bigint, person uuid, service_id bigint,
            since bigint, "begin" bigint, until bigint)) q
        JOIN booking_booking b ON b.shop_id = p_shop AND b.start >= q.earliest AND b.start < q.ends
            AND b."end" > q.begins AND b.takes AND (b.status <> 'held' OR b.expires_at > p_now)
            AND b.id IS DISTINCT FROM p_own AND (q.service_id = 0 OR b.service_id = q.service_id)
            AND CASE q."of"
                WHEN 'customer' THEN b.person_id = q.person
                WHEN 'staff' THEN EXISTS (SELECT FROM booking_claim c
                    WHERE c.shop_id = p_shop AND c.booking_id = b.id AND c.resource_id = q.subject)
                ELSE true END
    GROUP BY q.n
$$;

-- Whoever would add to the same count waits for the other.
CREATE FUNCTION booking_lock_limits(p_shop bigint, p_limits jsonb) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(k.key) FROM (
        SELECT DISTINCT hashtextextended(concat_ws(' ', p_shop, a."of", a.subject, a.person, a.service_id, a."begin",
            a.until), 0) AS key
        FROM jsonb_to_recordset(p_limits) AS a ("of" text, subject bigint, person uuid, service_id bigint,
            "begin" bigint, until bigint)
        ORDER BY key) k
$$;

-- Limits are counted anew under their locks: a count that is kept would be one more index that can differ from
-- its truth.
CREATE FUNCTION booking_check_limits(p_shop bigint, p_now timestamptz, p_limits jsonb, p_own bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_limits = '[]' THEN
        RETURN;
    END IF;
    PERFORM booking_lock_limits(p_shop, p_limits);
    PERFORM FROM jsonb_to_recordset(p_limits) AS a (n integer, most integer, minutes integer, add_count integer,
            add_minutes integer)
        LEFT JOIN booking_used(p_shop, p_now, p_limits, p_own) u ON u.n = a.n
    WHERE coalesce(u.used_count, 0) + a.add_count > a.most
        OR coalesce(u.used_minutes, 0) + a.add_minutes > a.minutes;
    IF FOUND THEN
        RAISE EXCEPTION 'limit_reached' USING ERRCODE = 'NR008';
    END IF;
END
$$;

-- Ends the expired holds of a date of a class, whose row is locked; those somebody else is busy with are left.
CREATE FUNCTION booking_sweep_seats(p_shop bigint, p_now timestamptz, p_session bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    stale bigint[];
    seats integer;
BEGIN
    SELECT coalesce(array_agg(h.id), '{}'), coalesce(sum(h.party), 0) INTO stale, seats FROM (
        SELECT x.id, x.party FROM booking_booking x
        WHERE x.shop_id = p_shop AND x.session_id = p_session AND x.status = 'held' AND x.expires_at <= p_now
        ORDER BY x.id FOR NO KEY UPDATE SKIP LOCKED) h;
    PERFORM booking_mark_expired(p_shop, p_now, stale);
    UPDATE booking_classsession s SET booked = s.booked - seats WHERE s.shop_id = p_shop AND s.id = p_session;
END
$$;

-- Locks dates of a class in order. The one that is to take somebody must take place, and begin when she thinks:
-- it may have been cancelled or moved since that was decided.
CREATE FUNCTION booking_lock_sessions(p_shop bigint, p_sessions bigint[], p_target bigint, p_start timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id = ANY (p_sessions) ORDER BY s.id FOR NO KEY UPDATE;
    PERFORM FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id = p_target AND s.start = p_start AND NOT s.cancelled;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'session_changed' USING ERRCODE = 'NR003';
    END IF;
END
$$;

-- Seats of a class, whose row is locked: a conditional write of their count; in the way of expired holds these are
-- swept, once. `p_over`: staff have said that there shall be more than there are.
CREATE FUNCTION booking_take_seats(p_shop bigint, p_now timestamptz, p_session bigint, p_party integer,
    p_over boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    FOR try IN 1..2 LOOP
        UPDATE booking_classsession s SET booked = s.booked + p_party
        WHERE s.shop_id = p_shop AND s.id = p_session AND (p_over OR s.booked + p_party <= s.capacity);
        IF FOUND THEN
            RETURN;
        END IF;
        PERFORM booking_sweep_seats(p_shop, p_now, p_session);
    END LOOP;
    RAISE EXCEPTION 'no_seats' USING ERRCODE = 'NR003';
END
$$;

-- Gives back what a booking takes, seats or claims; its own row is the caller's. `p_wanted`, `p_stale`: claims
-- about to be taken, and the expired holds in their way, whose days are locked in the same pass.
CREATE FUNCTION booking_give_up(p_shop bigint, p_id bigint, p_session bigint, p_party integer,
    p_stale bigint[] DEFAULT '{}', p_wanted jsonb DEFAULT '[]') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_session IS NOT NULL THEN
        UPDATE booking_classsession s SET booked = s.booked - p_party
        WHERE s.shop_id = p_shop AND s.id = p_session;
    ELSE
        PERFORM booking_give_back(p_shop, ARRAY[p_id] || p_stale, '{}', '{}', p_wanted);
    END IF;
END
$$;

-- A hold. `p_booking` are the row's values; with a session it takes seats, else the claims. Returns its id.
-- `p_why` is the reason of an override: then nobody is asked. `series_id` is 0 for the first of a series: its id is
-- the series'. What a series takes has been locked, and swept, by booking_lock_series.
CREATE FUNCTION booking_hold(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean,
    p_booking jsonb, p_claims jsonb, p_limits jsonb, p_idempotency bytea, p_by text, p_why text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    b record;
    new_id bigint;
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_booking) AS x (service_id bigint, session_id bigint, staff_id bigint,
        asked_staff_id bigint, series_id bigint, "start" timestamptz, "end" timestamptz, wall text, zone text,
        party integer, expires_at timestamptz, agreed jsonb);
    PERFORM booking_check_rules(p_shop, p_revision);
    PERFORM booking_check_limits(p_shop, p_now, p_limits, NULL);
    IF b.session_id IS NOT NULL THEN
        PERFORM booking_lock_sessions(p_shop, ARRAY[b.session_id], b.session_id, b."start");
        PERFORM booking_take_seats(p_shop, p_now, b.session_id, b.party, p_why <> '');
    ELSIF p_why = '' AND b.series_id IS NULL THEN
        PERFORM booking_take_swept(p_shop, p_now, p_added, p_claims);
    ELSIF p_why = '' THEN
        PERFORM booking_take(p_shop, p_added, p_claims);
    END IF;
    INSERT INTO booking_booking (shop_id, service_id, session_id, staff_id, asked_staff_id, series_id, start, "end",
        wall, zone, party, status, takes, attention, expires_at, locale, generation, changes, idempotency, agreed,
        rules_revision, created_at)
    VALUES (p_shop, b.service_id, b.session_id, b.staff_id, b.asked_staff_id, b.series_id, b."start", b."end",
        b.wall, b.zone, b.party, 'held', true, '', b.expires_at, '', 1, 0, p_idempotency, b.agreed,
        p_revision, p_now)
    RETURNING id INTO new_id;
    IF b.series_id = 0 THEN
        UPDATE booking_booking x SET series_id = new_id WHERE x.shop_id = p_shop AND x.id = new_id;
    END IF;
    IF b.session_id IS NULL AND p_why = '' THEN
        PERFORM booking_write_claims(p_shop, p_claims, new_id, NULL, NULL);
    ELSIF b.session_id IS NULL THEN
        PERFORM booking_take_over(p_shop, p_claims, new_id, NULL, NULL);
    END IF;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, new_id, p_now, p_by, CASE WHEN p_why = '' THEN 'held' ELSE 'held_over' END, p_why, '{}');
    RETURN new_id;
END
$$;

-- Hold -> booking (`p_status`: confirmed, or pending where the shop approves): only the status changes, nothing is
-- taken; where a pending booking is not to take, all is given back. Returns false where it had been done already.
CREATE FUNCTION booking_confirm(p_shop bigint, p_now timestamptz, p_id bigint, p_person uuid, p_locale text,
    p_agreed jsonb, p_limits jsonb, p_reminder_job bigint, p_status text, p_takes boolean, p_by text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    b record;
BEGIN
    PERFORM booking_check_limits(p_shop, p_now, p_limits, p_id);
    UPDATE booking_booking x SET status = p_status, takes = p_takes, expires_at = NULL, person_id = p_person,
        locale = p_locale, agreed = x.agreed || p_agreed, reminder_job = p_reminder_job
    WHERE x.shop_id = p_shop AND x.id = p_id AND x.status = 'held' AND x.expires_at > p_now
    RETURNING x.session_id, x.party INTO b;
    IF NOT FOUND THEN
        PERFORM FROM booking_booking x WHERE x.shop_id = p_shop AND x.id = p_id
            AND x.status IN ('confirmed', 'pending') AND x.person_id = p_person;
        IF FOUND THEN
            RETURN false;
        END IF;
        RAISE EXCEPTION 'hold_expired' USING ERRCODE = 'NR004';
    END IF;
    IF NOT p_takes THEN
        PERFORM booking_give_up(p_shop, p_id, b.session_id, b.party);
    END IF;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, p_id, p_now, p_by, CASE p_status WHEN 'pending' THEN 'asked' ELSE p_status END, '', '{}');
    RETURN true;
END
$$;

-- From one status that takes capacity to another: approved, checked in, no show. Raises not_active in others.
-- Who has still to say whether she keeps a class that was moved may say so after the shop has said yes.
CREATE FUNCTION booking_mark(p_shop bigint, p_now timestamptz, p_id bigint, p_from text[], p_status text,
    p_what text, p_by text, p_why text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE booking_booking x SET status = p_status,
        attention = CASE WHEN p_what = 'approved' AND x.attention = 'moved' THEN 'moved' ELSE '' END
    WHERE x.shop_id = p_shop AND x.id = p_id AND x.status = ANY (p_from) AND x.takes;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not_active' USING ERRCODE = 'NR005';
    END IF;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, p_id, p_now, p_by, p_what, p_why, '{}');
END
$$;

-- Ends a booking or a hold: capacity is free at once. p_from are the statuses it may have, p_status the new one.
-- `p_facts` go into its history.
CREATE FUNCTION booking_end(p_shop bigint, p_now timestamptz, p_id bigint, p_from text[], p_status text,
    p_by text, p_why text, p_facts jsonb) RETURNS void
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
    UPDATE booking_booking x SET status = p_status, takes = false, attention = '', expires_at = NULL,
        changes = x.changes + 1, reminder_job = NULL,
        idempotency = CASE WHEN x.status = 'held' THEN NULL ELSE x.idempotency END
    WHERE x.shop_id = p_shop AND x.id = p_id;
    IF b.takes THEN
        PERFORM booking_give_up(p_shop, p_id, b.session_id, b.party);
    END IF;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, p_id, p_now, p_by, p_status, p_why, p_facts);
END
$$;

-- A move gives back and takes in one transaction, so that a booking may overlap itself. `p_booking` are the new
-- values (with `status` where it changes too: an approval takes its time again), and `changes` as it was when they
-- were decided on. `p_over`: nobody is asked.
CREATE FUNCTION booking_move(p_shop bigint, p_now timestamptz, p_revision bigint, p_added boolean, p_id bigint,
    p_from text[], p_booking jsonb, p_claims jsonb, p_limits jsonb, p_over boolean, p_by text, p_what text,
    p_why text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    old record;
    b record;
    stale bigint[] := '{}';
BEGIN
    SELECT * INTO b FROM jsonb_to_record(p_booking) AS x (session_id bigint, staff_id bigint, asked_staff_id bigint,
        status text, takes boolean, changes integer, "start" timestamptz, "end" timestamptz, wall text, zone text,
        agreed jsonb);
    PERFORM booking_check_rules(p_shop, p_revision);
    SELECT * INTO old FROM booking_booking x WHERE x.shop_id = p_shop AND x.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_such_booking' USING ERRCODE = 'NR006';
    END IF;
    IF old.status <> ALL (p_from) THEN
        RAISE EXCEPTION 'not_active' USING ERRCODE = 'NR005';
    END IF;
    IF old.changes <> b.changes THEN
        -- Somebody has moved it since it was read: what was decided rests on where it stood then.
        RAISE EXCEPTION 'slot_taken' USING ERRCODE = 'NR001';
    END IF;
    IF (old.session_id IS NULL) <> (b.session_id IS NULL) THEN
        -- The service was no class when this was booked, or is none now: its seats and its claims do not mix.
        RAISE EXCEPTION 'no_such_session' USING ERRCODE = 'NR007';
    END IF;
    PERFORM booking_check_limits(p_shop, p_now, p_limits, p_id);
    IF old.session_id IS NOT NULL THEN
        PERFORM booking_lock_sessions(p_shop, ARRAY[old.session_id, b.session_id], b.session_id, b."start");
    ELSIF b.takes AND NOT p_over THEN
        stale := booking_stale(p_shop, p_now, p_claims);
        PERFORM booking_mark_expired(p_shop, p_now, stale);
    END IF;
    IF old.takes OR stale <> '{}' THEN
        PERFORM booking_give_up(p_shop, p_id, old.session_id, old.party, stale, p_claims);
    END IF;
    IF b.takes AND b.session_id IS NOT NULL THEN
        PERFORM booking_take_seats(p_shop, p_now, b.session_id, old.party, p_over);
    ELSIF b.takes AND p_over THEN
        PERFORM booking_take_over(p_shop, p_claims, p_id, NULL, NULL);
    ELSIF b.takes THEN
        PERFORM booking_take(p_shop, p_added, p_claims);
        PERFORM booking_write_claims(p_shop, p_claims, p_id, NULL, NULL);
    END IF;
    UPDATE booking_booking x SET session_id = b.session_id, staff_id = b.staff_id, asked_staff_id = b.asked_staff_id,
        start = b."start", "end" = b."end", wall = b.wall, zone = b.zone, agreed = x.agreed || b.agreed,
        changes = x.changes + 1, rules_revision = p_revision, status = coalesce(b.status, x.status),
        takes = b.takes,
        attention = CASE WHEN p_what = 'approved' AND x.attention = 'moved' THEN 'moved' ELSE '' END
    WHERE x.shop_id = p_shop AND x.id = p_id;
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    VALUES (p_shop, p_id, p_now, p_by, p_what, p_why,
        jsonb_build_object('from', old.start, 'to', b."start", 'from_staff', old.staff_id, 'to_staff', b.staff_id,
            'from_end', old."end", 'to_end', b."end", 'over', p_over));
END
$$;

-- Locks what the dates of a series may touch, in one order, before they are decided and written one by one. The
-- expired holds in their way are swept here: the writes that follow lock nothing that is not locked already.
CREATE FUNCTION booking_lock_series(p_shop bigint, p_now timestamptz, p_revision bigint, p_limits jsonb,
    p_sessions bigint[], p_resources bigint[], p_days date[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    stale bigint[];
    resources bigint[];
    days date[];
BEGIN
    PERFORM booking_check_rules(p_shop, p_revision);
    SELECT coalesce(array_agg(b.id), '{}') INTO stale FROM (
        SELECT h.id FROM booking_booking h
        WHERE h.shop_id = p_shop AND h.status = 'held' AND h.expires_at <= p_now AND EXISTS (
            SELECT FROM booking_claim c
            WHERE c.shop_id = p_shop AND c.booking_id = h.id AND c.resource_id = ANY (p_resources)
                AND c.day = ANY (p_days))
        ORDER BY h.id FOR NO KEY UPDATE SKIP LOCKED) b;
    PERFORM booking_lock_limits(p_shop, p_limits);
    PERFORM FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id = ANY (p_sessions) ORDER BY s.id FOR NO KEY UPDATE;
    SELECT array_agg(k.resource_id), array_agg(k.day) INTO resources, days FROM (
        SELECT r.id AS resource_id, d.day FROM unnest(p_resources) AS r (id) CROSS JOIN unnest(p_days) AS d (day)
        UNION SELECT c.resource_id, c.day FROM booking_claim c
        WHERE c.shop_id = p_shop AND c.booking_id = ANY (stale)) k;
    PERFORM booking_lock_days(p_shop, resources, days);
    IF stale <> '{}' THEN
        PERFORM booking_mark_expired(p_shop, p_now, stale);
        PERFORM booking_give_back(p_shop, stale, '{}', '{}');
    END IF;
END
$$;

-- Those of the locked days in which nothing was taken lose the rows by which they were locked.
CREATE FUNCTION booking_unlock_series(p_shop bigint, p_resources bigint[], p_days date[]) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM booking_sheet s
    WHERE s.shop_id = p_shop AND s.resource_id = ANY (p_resources) AND s.day = ANY (p_days)
        AND s.padded = 0::bit(1440)
$$;

-- Locks what bookings take, seats and days, in one order, before they are ended one by one. Their own rows are
-- locked by the caller.
CREATE FUNCTION booking_lock_taken(p_shop bigint, p_ids bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    resources bigint[];
    days date[];
BEGIN
    PERFORM FROM booking_classsession s
    WHERE s.shop_id = p_shop AND s.id IN (
        SELECT b.session_id FROM booking_booking b WHERE b.shop_id = p_shop AND b.id = ANY (p_ids) AND b.takes)
    ORDER BY s.id FOR NO KEY UPDATE;
    SELECT array_agg(c.resource_id), array_agg(c.day) INTO resources, days FROM booking_claim c
    WHERE c.shop_id = p_shop AND c.booking_id = ANY (p_ids);
    PERFORM booking_lock_days(p_shop, resources, days);
END
$$;
