-- The referee (docs/decisions/0007-sheets-of-bits.md). The engine decides, these functions recheck what races.
-- Every function: p_shop first, p_now an argument, names with p_. Minutes are counted from the epoch, UTC.
-- Order of locks, everywhere: the shop's row, bookings, sessions, sheets (by resource, then day).
-- Refusals are SQLSTATEs of class NR; noren/booking/referee.py maps them to errors.
--   NR001 slot_taken   NR002 rules_changed   NR003 no_seats      NR004 hold_expired
--   NR005 not_active   NR006 no_such_booking NR007 no_such_session

-- The minutes [p_from, p_to) of a day.
CREATE FUNCTION booking_mask(p_from integer, p_to integer) RETURNS bit
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_from < p_to
        THEN ((~ 0::bit(1440)) >> p_from) & ((~ 0::bit(1440)) << (1440 - p_to))
        ELSE 0::bit(1440) END
$$;

-- Claims as the engine gives them, cut at UTC midnights. `many`: a resource with a stock of more than one.
CREATE FUNCTION booking_claim_days(p_claims jsonb)
RETURNS TABLE (resource_id bigint, day date, units smallint, stock smallint,
    core_from smallint, core_to smallint, padded_from smallint, padded_to smallint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT c.resource_id, date '1970-01-01' + d.n, c.units, c.stock,
        CASE WHEN k.f < k.t THEN k.f ELSE 0 END::smallint,
        CASE WHEN k.f < k.t THEN k.t ELSE 0 END::smallint,
        greatest(c.padded_start - d.n * 1440, 0)::smallint,
        least(c.padded_end - d.n * 1440, 1440)::smallint
    FROM jsonb_to_recordset(p_claims) AS c (resource_id bigint, units smallint, stock smallint,
            "start" integer, "end" integer, padded_start integer, padded_end integer)
        CROSS JOIN LATERAL generate_series(c.padded_start / 1440, (c.padded_end - 1) / 1440) AS d (n)
        CROSS JOIN LATERAL (SELECT greatest(c."start" - d.n * 1440, 0) AS f,
            least(c."end" - d.n * 1440, 1440) AS t) AS k
$$;

-- Puts `p_units` on the thermometer of one day of a resource with a stock. The day's first plane is locked.
CREATE FUNCTION booking_stack(p_shop bigint, p_resource bigint, p_day date, p_units integer, p_stock integer,
    p_core bit, p_padded bit) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    core_left bit(1440);
    padded_left bit(1440);
    held record;
BEGIN
    FOR unit IN 1..p_units LOOP
        core_left := p_core;
        padded_left := p_padded;
        FOR level IN 1..p_stock LOOP
            EXIT WHEN padded_left = 0::bit(1440);
            SELECT s.core, s.padded INTO held FROM booking_sheet s
            WHERE s.shop_id = p_shop AND s.resource_id = p_resource AND s.plane = level AND s.day = p_day;
            INSERT INTO booking_sheet AS s (shop_id, resource_id, plane, day, core, padded)
            VALUES (p_shop, p_resource, level, p_day, core_left, padded_left)
            ON CONFLICT (shop_id, resource_id, plane, day) DO UPDATE
                SET core = s.core | excluded.core, padded = s.padded | excluded.padded;
            core_left := core_left & coalesce(held.core, 0::bit(1440));
            padded_left := padded_left & coalesce(held.padded, 0::bit(1440));
        END LOOP;
    END LOOP;
END
$$;

-- The stock's part of taking: k units fit where plane n-k+1 is free. The first planes are locked.
CREATE FUNCTION booking_take_stock(p_shop bigint, p_added boolean, p_claims jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT d.*, booking_mask(d.core_from, d.core_to) AS core, booking_mask(d.padded_from, d.padded_to) AS padded
        FROM booking_claim_days(p_claims) d WHERE d.stock > 1 ORDER BY d.resource_id, d.day
    LOOP
        IF c.units > c.stock OR EXISTS (
            SELECT FROM booking_sheet s
            WHERE s.shop_id = p_shop AND s.resource_id = c.resource_id AND s.day = c.day
                AND s.plane = c.stock - c.units + 1
                AND CASE WHEN p_added THEN s.padded & c.padded
                    ELSE (s.padded & c.core) | (s.core & c.padded) END <> 0::bit(1440))
        THEN
            RAISE EXCEPTION 'slot_taken' USING ERRCODE = 'NR001';
        END IF;
        PERFORM booking_stack(p_shop, c.resource_id, c.day, c.units, c.stock, c.core, c.padded);
    END LOOP;
END
$$;

-- Taking: one conditional write for all resources of a booking, in the order of their keys, which is the
-- order of the locks. Fewer rows written than wanted: somebody was faster. A resource with a stock is only
-- locked here (its masks are empty, so its row is always "free") and checked after.
CREATE FUNCTION booking_take(p_shop bigint, p_added boolean, p_claims jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted_rows integer;
    written_rows integer;
    has_stock boolean;
BEGIN
    WITH wanted AS MATERIALIZED (
        SELECT c.resource_id, c.day, bool_or(c.stock > 1) AS many,
            bit_or(CASE WHEN c.stock = 1 THEN booking_mask(c.core_from, c.core_to) ELSE 0::bit(1440) END) AS core,
            bit_or(CASE WHEN c.stock = 1 THEN booking_mask(c.padded_from, c.padded_to) ELSE 0::bit(1440) END)
                AS padded
        FROM booking_claim_days(p_claims) c GROUP BY c.resource_id, c.day
    ), written AS (
        INSERT INTO booking_sheet AS s (shop_id, resource_id, plane, day, core, padded)
        SELECT p_shop, w.resource_id, 1, w.day, w.core, w.padded
        FROM wanted w ORDER BY w.resource_id, w.day
        ON CONFLICT (shop_id, resource_id, plane, day) DO UPDATE
            SET core = s.core | excluded.core, padded = s.padded | excluded.padded
            WHERE CASE WHEN p_added THEN s.padded & excluded.padded
                ELSE (s.padded & excluded.core) | (s.core & excluded.padded) END = 0::bit(1440)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM written), (SELECT bool_or(w.many) FROM wanted w)
    INTO wanted_rows, written_rows, has_stock;
    IF written_rows < wanted_rows THEN
        RAISE EXCEPTION 'slot_taken' USING ERRCODE = 'NR001';
    END IF;
    IF has_stock THEN
        PERFORM booking_take_stock(p_shop, p_added, p_claims);
    END IF;
END
$$;

-- Locks days in the order of their keys, those that are still free too (as empty rows). DO UPDATE locks a row
-- even where its WHERE is false, and then writes nothing.
CREATE FUNCTION booking_lock_days(p_shop bigint, p_resources bigint[], p_days date[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO booking_sheet AS s (shop_id, resource_id, plane, day, core, padded)
    SELECT p_shop, k.resource_id, 1, k.day, 0::bit(1440), 0::bit(1440)
    FROM (SELECT DISTINCT u.resource_id, u.day FROM unnest(p_resources, p_days) AS u (resource_id, day)) k
    ORDER BY k.resource_id, k.day
    ON CONFLICT (shop_id, resource_id, plane, day) DO UPDATE SET core = s.core WHERE false
$$;

-- Computes days anew from their claims. Their first planes are locked. A day without claims loses its rows.
CREATE FUNCTION booking_recompute(p_shop bigint, p_resources bigint[], p_days date[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    DELETE FROM booking_sheet s
    USING unnest(p_resources, p_days) AS k (resource_id, day)
    WHERE s.shop_id = p_shop AND s.resource_id = k.resource_id AND s.day = k.day AND s.plane > 1;
    UPDATE booking_sheet s SET core = n.core, padded = n.padded
    FROM (
        SELECT k.resource_id, k.day,
            coalesce(bit_or(booking_mask(c.core_from, c.core_to)) FILTER (WHERE r.stock = 1), 0::bit(1440)) AS core,
            coalesce(bit_or(booking_mask(c.padded_from, c.padded_to)) FILTER (WHERE r.stock = 1), 0::bit(1440))
                AS padded
        FROM (SELECT DISTINCT u.resource_id, u.day FROM unnest(p_resources, p_days) AS u (resource_id, day)) k
            JOIN shops_resource r ON r.shop_id = p_shop AND r.id = k.resource_id
            LEFT JOIN booking_claim c
                ON c.shop_id = p_shop AND c.resource_id = k.resource_id AND c.day = k.day
        GROUP BY k.resource_id, k.day
    ) n
    WHERE s.shop_id = p_shop AND s.resource_id = n.resource_id AND s.day = n.day AND s.plane = 1;
    FOR one IN
        SELECT d.*, r.stock FROM booking_claim d JOIN shops_resource r ON r.shop_id = p_shop AND r.id = d.resource_id
        WHERE d.shop_id = p_shop AND r.stock > 1
            AND (d.resource_id, d.day) IN (SELECT u.* FROM unnest(p_resources, p_days) AS u)
        ORDER BY d.resource_id, d.day, d.id
    LOOP
        PERFORM booking_stack(p_shop, one.resource_id, one.day, one.units, one.stock,
            booking_mask(one.core_from, one.core_to), booking_mask(one.padded_from, one.padded_to));
    END LOOP;
    DELETE FROM booking_sheet s
    USING unnest(p_resources, p_days) AS k (resource_id, day)
    WHERE s.shop_id = p_shop AND s.resource_id = k.resource_id AND s.day = k.day AND s.padded = 0::bit(1440);
END
$$;

-- Giving back: the claims of these bookings, sessions and blocks go, and the days they touched are computed
-- anew. `p_wanted` are claims about to be taken: their days are locked in the same pass.
CREATE FUNCTION booking_give_back(p_shop bigint, p_bookings bigint[], p_sessions bigint[], p_blocks bigint[],
    p_wanted jsonb DEFAULT '[]') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    resources bigint[];
    days date[];
    wanted_resources bigint[];
    wanted_days date[];
BEGIN
    SELECT array_agg(k.resource_id), array_agg(k.day) INTO resources, days FROM (
        SELECT c.resource_id, c.day FROM booking_claim c
        WHERE c.shop_id = p_shop AND c.booking_id = ANY (p_bookings)
        UNION SELECT c.resource_id, c.day FROM booking_claim c
        WHERE c.shop_id = p_shop AND c.session_id = ANY (p_sessions)
        UNION SELECT c.resource_id, c.day FROM booking_claim c
        WHERE c.shop_id = p_shop AND c.block_id = ANY (p_blocks)) k;
    SELECT array_agg(w.resource_id), array_agg(w.day) INTO wanted_resources, wanted_days
    FROM booking_claim_days(p_wanted) w;
    PERFORM booking_lock_days(p_shop, resources || wanted_resources, days || wanted_days);
    DELETE FROM booking_claim c WHERE c.shop_id = p_shop AND c.booking_id = ANY (p_bookings);
    DELETE FROM booking_claim c WHERE c.shop_id = p_shop AND c.session_id = ANY (p_sessions);
    DELETE FROM booking_claim c WHERE c.shop_id = p_shop AND c.block_id = ANY (p_blocks);
    PERFORM booking_recompute(p_shop, resources, days);
END
$$;

-- The expired holds that stand in the way of these claims, locked; those somebody else is busy with are left.
CREATE FUNCTION booking_stale(p_shop bigint, p_now timestamptz, p_claims jsonb) RETURNS bigint[]
LANGUAGE sql AS $$
    SELECT coalesce(array_agg(b.id), '{}') FROM (
        SELECT h.id FROM booking_booking h
        WHERE h.shop_id = p_shop AND h.status = 'held' AND h.expires_at <= p_now AND EXISTS (
            SELECT FROM booking_claim c JOIN booking_claim_days(p_claims) w
                ON w.resource_id = c.resource_id AND w.day = c.day
            WHERE c.shop_id = p_shop AND c.booking_id = h.id)
        ORDER BY h.id FOR NO KEY UPDATE SKIP LOCKED) b
$$;

-- Ends expired holds whose rows are locked: their status, and the record of it. Their claims are the caller's.
CREATE FUNCTION booking_mark_expired(p_shop bigint, p_now timestamptz, p_ids bigint[]) RETURNS void
LANGUAGE sql AS $$
    UPDATE booking_booking b SET status = 'expired', expires_at = NULL, idempotency = NULL
    WHERE b.shop_id = p_shop AND b.id = ANY (p_ids);
    INSERT INTO booking_event (shop_id, booking_id, at, by, what, why, facts)
    SELECT p_shop, i, p_now, 'system', 'expired', '', '{}' FROM unnest(p_ids) AS i
$$;

-- Takes, and when the way is barred by expired holds sweeps them, once, and takes again.
CREATE FUNCTION booking_take_swept(p_shop bigint, p_now timestamptz, p_added boolean, p_claims jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    stale bigint[];
BEGIN
    BEGIN
        PERFORM booking_take(p_shop, p_added, p_claims);
        RETURN;
    EXCEPTION WHEN SQLSTATE 'NR001' THEN
        -- What was locked by the try is free again here, so that locks are taken in order once more.
        stale := booking_stale(p_shop, p_now, p_claims);
        IF stale = '{}' THEN
            RAISE;
        END IF;
    END;
    PERFORM booking_mark_expired(p_shop, p_now, stale);
    PERFORM booking_give_back(p_shop, stale, '{}', '{}', p_claims);
    PERFORM booking_take(p_shop, p_added, p_claims);
END
$$;

CREATE FUNCTION booking_write_claims(p_shop bigint, p_claims jsonb, p_booking bigint, p_session bigint,
    p_block bigint) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO booking_claim (shop_id, resource_id, day, units, core_from, core_to, padded_from, padded_to,
        booking_id, session_id, block_id)
    SELECT p_shop, c.resource_id, c.day, c.units, c.core_from, c.core_to, c.padded_from, c.padded_to,
        p_booking, p_session, p_block
    FROM booking_claim_days(p_claims) c
$$;

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

-- Computes a resource's days anew from a day on: its stock has changed, and with it the number of its planes.
CREATE FUNCTION booking_reindex(p_shop bigint, p_resource bigint, p_from date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    resources bigint[];
    days date[];
BEGIN
    SELECT array_agg(p_resource), array_agg(k.day) INTO resources, days FROM (
        SELECT DISTINCT c.day FROM booking_claim c
        WHERE c.shop_id = p_shop AND c.resource_id = p_resource AND c.day >= p_from
        UNION SELECT s.day FROM booking_sheet s
        WHERE s.shop_id = p_shop AND s.resource_id = p_resource AND s.day >= p_from) k;
    PERFORM booking_lock_days(p_shop, resources, days);
    PERFORM booking_recompute(p_shop, resources, days);
END
$$;
