-- The referee (docs/decisions/0007-sheets-of-bits.md). The engine decides, these functions recheck what races.
-- Every function: p_shop first, p_now an argument, names with p_. Minutes are counted from the epoch, UTC.
-- Order of locks, everywhere: the shop's row, bookings, limits, sessions, sheets (by resource, then day).
-- Refusals are SQLSTATEs of class NR; noren/booking/referee.py maps them to errors.
--   NR001 slot_taken   NR002 rules_changed   NR003 no_seats      NR004 hold_expired
--   NR005 not_active   NR006 no_such_booking NR007 no_such_session  NR008 limit_reached

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
    UPDATE booking_booking b SET status = 'expired', takes = false, expires_at = NULL, idempotency = NULL
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

-- Takes without asking, over what is there: an override of staff, a block. Bits may be taken twice: the claims know.
CREATE FUNCTION booking_take_over(p_shop bigint, p_claims jsonb, p_booking bigint, p_session bigint,
    p_block bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    resources bigint[];
    days date[];
BEGIN
    SELECT array_agg(c.resource_id), array_agg(c.day) INTO resources, days FROM booking_claim_days(p_claims) c;
    PERFORM booking_lock_days(p_shop, resources, days);
    PERFORM booking_write_claims(p_shop, p_claims, p_booking, p_session, p_block);
    PERFORM booking_recompute(p_shop, resources, days);
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
