-- The sheets: a resource's day as bits, one a minute, UTC, the first minute leftmost; 1 = taken.
-- Plane j holds the minutes with at least j units taken; a resource of stock n has n planes.
-- Rows exist only for days with something taken.
CREATE TABLE booking_sheet (
    shop_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    plane smallint NOT NULL,
    day date NOT NULL,
    core bit(1440) NOT NULL,
    padded bit(1440) NOT NULL,
    CONSTRAINT booking_sheet_pkey PRIMARY KEY (shop_id, resource_id, plane, day)
) WITH (fillfactor = 70);
-- 360 bytes of bits lie in the row itself: compressing or moving them out would cost every reader.
ALTER TABLE booking_sheet ALTER COLUMN core SET STORAGE PLAIN, ALTER COLUMN padded SET STORAGE PLAIN;

CREATE INDEX booking_booking_start ON booking_booking (shop_id, start);
CREATE INDEX booking_booking_staff ON booking_booking (shop_id, staff_id, start) INCLUDE (status)
    WHERE staff_id IS NOT NULL;
CREATE INDEX booking_booking_person ON booking_booking (shop_id, person_id) WHERE person_id IS NOT NULL;
CREATE INDEX booking_booking_session ON booking_booking (shop_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX booking_booking_series ON booking_booking (shop_id, series_id) WHERE series_id IS NOT NULL;
CREATE INDEX booking_booking_attention ON booking_booking (shop_id, start) WHERE attention <> '';
CREATE INDEX booking_booking_held ON booking_booking (shop_id, expires_at) WHERE status = 'held';
CREATE UNIQUE INDEX booking_booking_idempotency_key
    ON booking_booking (shop_id, idempotency) WHERE idempotency IS NOT NULL;
-- A class is found by its start; and what its timetable planned is made once, wherever it has been moved since.
CREATE UNIQUE INDEX booking_classsession_start_key ON booking_classsession (shop_id, service_id, start)
    WHERE NOT cancelled;
CREATE UNIQUE INDEX booking_classsession_planned_key ON booking_classsession (shop_id, service_id, planned);
CREATE INDEX booking_block_resource ON booking_block (shop_id, resource_id, start);
CREATE INDEX booking_claim_booking ON booking_claim (shop_id, booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX booking_claim_session ON booking_claim (shop_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX booking_claim_block ON booking_claim (shop_id, block_id) WHERE block_id IS NOT NULL;
CREATE INDEX booking_waiting_live ON booking_waiting (shop_id, day) WHERE state IN ('waiting', 'offered');
-- Nobody waits twice for the same.
CREATE UNIQUE INDEX booking_waiting_person_key
    ON booking_waiting (shop_id, person_id, service_id, day, start) NULLS NOT DISTINCT
    WHERE state IN ('waiting', 'offered');
CREATE INDEX booking_event_booking ON booking_event (shop_id, booking_id);

ALTER TABLE booking_booking
    ADD CONSTRAINT booking_booking_status_check CHECK (status IN ('held', 'pending', 'confirmed', 'checked_in',
        'no_show', 'cancelled', 'declined', 'released', 'expired')),
    ADD CONSTRAINT booking_booking_held_check CHECK ((status = 'held') = (expires_at IS NOT NULL)),
    ADD CONSTRAINT booking_booking_order_check CHECK (start < "end"),
    ADD CONSTRAINT booking_booking_party_check CHECK (party > 0),
    ADD CONSTRAINT booking_booking_takes_check CHECK (status = 'pending' OR takes = (status IN ('held', 'confirmed',
        'checked_in', 'no_show')));
ALTER TABLE booking_classsession
    ADD CONSTRAINT booking_classsession_seats_check CHECK (booked >= 0),
    ADD CONSTRAINT booking_classsession_order_check CHECK (start < "end"),
    ADD CONSTRAINT booking_classsession_capacity_check CHECK (capacity >= 0);
ALTER TABLE booking_waiting
    ADD CONSTRAINT booking_waiting_state_check CHECK (state IN ('waiting', 'offered', 'booked', 'left', 'passed',
        'expired')),
    ADD CONSTRAINT booking_waiting_offer_check CHECK (
        (state NOT IN ('offered', 'booked') OR hold_id IS NOT NULL)
        AND (state <> 'offered' OR offer_ends IS NOT NULL)),
    ADD CONSTRAINT booking_waiting_party_check CHECK (party > 0);
ALTER TABLE booking_claim
    ADD CONSTRAINT booking_claim_owner_check CHECK (num_nonnulls(booking_id, session_id, block_id) = 1),
    ADD CONSTRAINT booking_claim_minutes_check CHECK (
        units > 0 AND 0 <= padded_from AND padded_from < padded_to AND padded_to <= 1440
        AND 0 <= core_from AND core_from <= core_to AND core_to <= 1440);
-- A code, never a free text: nothing about a person can lie here.
ALTER TABLE booking_event ADD CONSTRAINT booking_event_why_check CHECK (why ~ '^[a-z0-9_]*$');
ALTER TABLE booking_block ADD CONSTRAINT booking_block_why_check CHECK (why ~ '^[a-z0-9_]*$');
