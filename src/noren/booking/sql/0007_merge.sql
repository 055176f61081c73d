-- Two records of one customer, joined. A record is joined once at a time; what is over stays as a line of history.
CREATE UNIQUE INDEX booking_merge_double_key ON booking_merge (shop_id, double)
    WHERE state IN ('merging', 'merged', 'undoing');
CREATE INDEX booking_merge_kept ON booking_merge (shop_id, kept) WHERE state IN ('merging', 'merged', 'undoing');
ALTER TABLE booking_merge
    ADD CONSTRAINT booking_merge_state_check CHECK
        (state IN ('merging', 'merged', 'undoing', 'undone', 'dropped')),
    ADD CONSTRAINT booking_merge_two_check CHECK (double <> kept);

-- Whose a booking is that this person makes now: hers, or the record's that hers was joined to. Whoever writes a
-- person into a row asks here first, in the same transaction: joining (`booking_person_alone`) waits for it, and
-- brings the row over; or it waits for the joining, and reads what that has written.
CREATE FUNCTION booking_person(p_shop bigint, p_person uuid) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    found uuid;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(concat_ws(' ', 'person', p_shop, p_person), 0));
    SELECT m.kept INTO found FROM booking_merge m
    WHERE m.shop_id = p_shop AND m.double = p_person AND m.state IN ('merged', 'undoing');
    RETURN coalesce(found, p_person);
END
$$;
CREATE FUNCTION booking_person_alone(p_shop bigint, p_person uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'person', p_shop, p_person), 0));
END
$$;
