-- A visit of several services counts for the limits of each of its parts, with the minutes of that part and where it
-- lies. What was agreed of the parts stands in `agreed`: service, offset (from the visit's start) and minutes.
CREATE OR REPLACE FUNCTION booking_used(p_shop bigint, p_now timestamptz, p_asked jsonb, p_own bigint)
RETURNS TABLE (n integer, used_count integer, used_minutes integer)
LANGUAGE sql STABLE AS $$
    SELECT q.n, (count(*) FILTER (WHERE p.start >= q.begins))::integer,
        (sum(extract(epoch FROM least(p."end", q.ends) - greatest(p.start, q.begins))) / 60)::integer
    FROM (
        SELECT a.*, to_timestamp(a.since * 60) AS earliest, to_timestamp(a."begin" * 60) AS begins,
            to_timestamp(a.until * 60) AS ends
        FROM jsonb_to_recordset(p_asked) AS a (n integer, "of" text, subject bigint, person uuid, service_id bigint,
            since bigint, "begin" bigint, until bigint)) q
        JOIN booking_booking b ON b.shop_id = p_shop AND b.start >= q.earliest AND b.start < q.ends
            AND b."end" >= q.begins AND b.takes AND (b.status <> 'held' OR b.expires_at > p_now)
            AND b.id IS DISTINCT FROM p_own
            AND CASE q."of"
                WHEN 'customer' THEN b.person_id = q.person
                WHEN 'staff' THEN EXISTS (SELECT FROM booking_claim c
                    WHERE c.shop_id = p_shop AND c.booking_id = b.id AND c.resource_id = q.subject)
                ELSE true END
        CROSS JOIN LATERAL (
            SELECT b.start, b."end"
            WHERE q.service_id = 0 OR (b.service_id = q.service_id AND NOT b.agreed ? 'parts')
            UNION ALL
            -- No further than it lasts: who has checked out early has given the rest back.
            SELECT least(b.start + x."offset" * interval '1 minute', b."end"),
                least(b.start + (x."offset" + x.minutes) * interval '1 minute', b."end")
            FROM jsonb_to_recordset(b.agreed->'parts') AS x (service bigint, "offset" integer, minutes integer)
            WHERE q.service_id <> 0 AND x.service = q.service_id) p
    -- What takes no time counts where it begins.
    WHERE p.start < q.ends AND (p."end" > q.begins OR p.start >= q.begins)
    GROUP BY q.n
$$;
