//! The bounded channel to the writer: room per lane, order by lane, and no overtaking within a generation.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use sealpost_domain::limits;

use super::append::{Append, Busy, Lane, Reply};
use super::generation::Generation;

/// A request that waits for the writer.
#[derive(Debug)]
pub(super) struct Request {
    /// What is asked.
    pub(super) append: Append,
    /// Where the answer goes.
    pub(super) reply: Reply,
}

/// Rows that may wait, per lane. New mail cannot take the room of the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    new_mail_rows_max: usize,
    start_rows_max: usize,
    outcome_rows_max: usize,
    security_rows_max: usize,
}

impl Default for Room {
    fn default() -> Self {
        let rows = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let slots = rows(limits::OUTCOME_SLOTS);
        Self {
            new_mail_rows_max: rows(limits::LOG_QUEUE_ROWS_MAX),
            start_rows_max: slots,
            outcome_rows_max: slots.saturating_mul(rows(limits::ROWS_PER_OUTCOME_MAX)),
            security_rows_max: rows(limits::LOG_SECURITY_ROWS_MAX),
        }
    }
}

/// What the writer finds when it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    /// Requests wait.
    Work,
    /// Nothing came in time.
    Quiet,
    /// The lanes are closed and empty.
    Closed,
}

/// The queues in the order of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Queue {
    Security,
    Deliveries,
    NewMail,
}

#[derive(Debug, Default)]
struct Inner {
    security: VecDeque<Request>,
    deliveries: VecDeque<Request>,
    new_mail: VecDeque<Request>,
    new_mail_rows: usize,
    start_rows: usize,
    outcome_rows: usize,
    security_rows: usize,
    closed: bool,
}

/// The channel.
#[derive(Debug)]
pub(super) struct Lanes {
    inner: Mutex<Inner>,
    wake: Condvar,
    room: Room,
}

impl Lanes {
    /// Empty lanes with so much room.
    pub(super) fn new(room: Room) -> Self {
        Self {
            inner: Mutex::new(Inner::default()),
            wake: Condvar::new(),
            room,
        }
    }

    /// Takes a request in, never waits.
    ///
    /// # Errors
    /// [`Busy::QueueFull`] when its lane has no room for all of its rows, [`Busy::Closed`].
    pub(super) fn push(&self, request: Request) -> Result<(), Busy> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(Busy::Closed);
        }
        let (taken, max) = inner.room_of(&request.append.lane, self.room);
        let rows = request.append.rows.len();
        if taken.saturating_add(rows) > max {
            return Err(Busy::QueueFull);
        }
        *taken = taken.saturating_add(rows);
        let was_empty = inner.is_empty();
        inner.enqueue(request);
        drop(inner);
        if was_empty {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits until there is work, at most so long.
    pub(super) fn wait(&self, at_most: Duration) -> Wake {
        let mut inner = self.inner.lock();
        if inner.is_empty() && !inner.closed {
            self.wake.wait_for(&mut inner, at_most);
        }
        match (inner.is_empty(), inner.closed) {
            (false, _) => Wake::Work,
            (true, false) => Wake::Quiet,
            (true, true) => Wake::Closed,
        }
    }

    /// What waits, first lanes first, up to so many rows; at least one request when there is one. None is split.
    pub(super) fn take(&self, rows_max: usize) -> VecDeque<Request> {
        let mut inner = self.inner.lock();
        let mut taken = VecDeque::new();
        let mut rows: usize = 0;
        while let Some(request) = inner.dequeue(rows_max.saturating_sub(rows), taken.is_empty()) {
            rows = rows.saturating_add(request.append.rows.len());
            taken.push_back(request);
        }
        taken
    }

    /// Waits for the end of the lanes, at most so long; whether it has come.
    pub(super) fn wait_closed(&self, at_most: Duration) -> bool {
        let mut inner = self.inner.lock();
        self.wake.wait_while_for(&mut inner, |inner| !inner.closed, at_most);
        inner.closed
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.inner.lock().is_empty()
    }

    /// Takes nothing in any more. What waits is still served.
    pub(super) fn close(&self) {
        self.inner.lock().closed = true;
        self.wake.notify_all();
    }

    /// Whether nothing is taken in any more.
    pub(super) fn is_closed(&self) -> bool {
        self.inner.lock().closed
    }

    /// Rows of new mail that wait.
    pub(super) fn new_mail_rows(&self) -> usize {
        self.inner.lock().new_mail_rows
    }
}

impl Inner {
    fn is_empty(&self) -> bool {
        self.security.is_empty() && self.deliveries.is_empty() && self.new_mail.is_empty()
    }

    fn room_of(&mut self, lane: &Lane, room: Room) -> (&mut usize, usize) {
        match lane {
            Lane::NewMail => (&mut self.new_mail_rows, room.new_mail_rows_max),
            Lane::Start => (&mut self.start_rows, room.start_rows_max),
            Lane::Outcome(_) => (&mut self.outcome_rows, room.outcome_rows_max),
            Lane::Security => (&mut self.security_rows, room.security_rows_max),
        }
    }

    fn queue(&mut self, queue: Queue) -> &mut VecDeque<Request> {
        match queue {
            Queue::Security => &mut self.security,
            Queue::Deliveries => &mut self.deliveries,
            Queue::NewMail => &mut self.new_mail,
        }
    }

    /// A request of a generation goes behind the last of its kind, even when its own lane is faster: what an actor
    /// decided later never stands before what it decided earlier.
    fn enqueue(&mut self, request: Request) {
        let own = match request.append.lane {
            Lane::Security => Queue::Security,
            Lane::Start | Lane::Outcome(_) => Queue::Deliveries,
            Lane::NewMail => Queue::NewMail,
        };
        let queue = request.append.generation.as_ref().map_or(own, |generation| {
            let queue = last_queue(generation).map_or(own, |last| last.max(own));
            if let Some(counter) = counter(generation, queue) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            queue
        });
        self.queue(queue).push_back(request);
    }

    fn dequeue(&mut self, rows_left: usize, whatever_its_size: bool) -> Option<Request> {
        let queue = [Queue::Security, Queue::Deliveries, Queue::NewMail]
            .into_iter()
            .find(|queue| !self.queue(*queue).is_empty())?;
        let request = self
            .queue(queue)
            .pop_front_if(|first| whatever_its_size || first.append.rows.len() <= rows_left)?;
        if let Some(counter) = request.append.generation.as_ref().and_then(|g| counter(g, queue)) {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
        let rows = request.append.rows.len();
        let (taken, _) = self.room_of(&request.append.lane, Room::default());
        *taken = taken.saturating_sub(rows);
        Some(request)
    }
}

/// The slowest queue in which a request of this generation waits.
fn last_queue(generation: &Generation) -> Option<Queue> {
    [Queue::NewMail, Queue::Deliveries]
        .into_iter()
        .find(|queue| counter(generation, *queue).is_some_and(|counter| counter.load(Ordering::Relaxed) > 0))
}

/// Nothing is slower than anything in the first queue, so it needs no counter.
fn counter(generation: &Generation, queue: Queue) -> Option<&AtomicU32> {
    match queue {
        Queue::Security => None,
        Queue::Deliveries => Some(&generation.waiting().deliveries),
        Queue::NewMail => Some(&generation.waiting().new_mail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use sealpost_domain::gate::GateEvent;
    use sealpost_domain::ids::EventId;
    use sealpost_domain::metadata::Metadata;
    use sealpost_domain::{Instant, StreamId, StreamType};

    use crate::clock::draw_uuid;
    use crate::log::append::{Expected, OnConflict, Row, Ticket};
    use crate::log::generation::Generations;

    fn row() -> Row {
        let event = GateEvent::RefusalsCounted {
            counts: BTreeMap::new(),
            from: Instant::from_millis(0),
            to: Instant::from_millis(0),
        };
        Row {
            stream: StreamId::new(StreamType::Gate, "node-1"),
            expected: Expected::Next,
            account: None,
            recipient_key: None,
            event_id: EventId::from_uuid(draw_uuid()),
            event: event.into(),
            metadata: Arc::new(Metadata::system(None, "node-1")),
        }
    }

    /// A request whose number of rows tells it apart.
    fn request(lane: Lane, rows: usize, generation: Option<&Generation>) -> Request {
        let row = row();
        let append = Append {
            lane,
            generation: generation.cloned(),
            rows: vec![row; rows],
            idempotency: None,
            on_conflict: OnConflict::FailGeneration,
        };
        Request {
            append,
            reply: Ticket::new().0,
        }
    }

    fn sizes(taken: &VecDeque<Request>) -> Vec<usize> {
        taken.iter().map(|request| request.append.rows.len()).collect()
    }

    #[test]
    fn security_goes_first_and_new_mail_last() {
        let lanes = Lanes::new(Room::default());
        lanes.push(request(Lane::NewMail, 1, None)).unwrap();
        lanes.push(request(Lane::Start, 2, None)).unwrap();
        lanes.push(request(Lane::Security, 3, None)).unwrap();
        assert_eq!(sizes(&lanes.take(100)), [3, 2, 1]);
    }

    #[test]
    fn a_generation_is_served_in_the_order_of_asking() {
        let lanes = Lanes::new(Room::default());
        let generations = Generations::default();
        let (mine, other) = (generations.draw(), generations.draw());
        lanes.push(request(Lane::NewMail, 1, Some(&mine))).unwrap();
        lanes.push(request(Lane::Security, 2, Some(&mine))).unwrap();
        lanes.push(request(Lane::Start, 3, Some(&mine))).unwrap();
        lanes.push(request(Lane::Security, 4, Some(&other))).unwrap();
        assert_eq!(sizes(&lanes.take(100)), [4, 1, 2, 3]);
        lanes.push(request(Lane::Start, 5, Some(&mine))).unwrap();
        lanes.push(request(Lane::Security, 6, Some(&mine))).unwrap();
        lanes.push(request(Lane::NewMail, 7, Some(&other))).unwrap();
        assert_eq!(sizes(&lanes.take(100)), [5, 6, 7], "what was served holds nobody back");
    }

    #[test]
    fn a_full_lane_leaves_the_others_their_room() {
        let lanes = Lanes::new(Room {
            new_mail_rows_max: 5,
            start_rows_max: 2,
            outcome_rows_max: 2,
            security_rows_max: 2,
        });
        lanes.push(request(Lane::NewMail, 4, None)).unwrap();
        assert_eq!(lanes.push(request(Lane::NewMail, 2, None)), Err(Busy::QueueFull));
        lanes.push(request(Lane::NewMail, 1, None)).unwrap();
        lanes.push(request(Lane::Security, 2, None)).unwrap();
        lanes.push(request(Lane::Start, 2, None)).unwrap();
        assert_eq!(lanes.push(request(Lane::Start, 1, None)), Err(Busy::QueueFull));
        assert_eq!(sizes(&lanes.take(100)), [2, 2, 4, 1]);
        lanes.push(request(Lane::NewMail, 5, None)).unwrap();
    }

    #[test]
    fn no_request_is_split_and_a_big_one_goes_alone() {
        let lanes = Lanes::new(Room::default());
        for rows in [30, 3, 8, 2] {
            lanes.push(request(Lane::NewMail, rows, None)).unwrap();
        }
        assert_eq!(sizes(&lanes.take(10)), [30]);
        assert_eq!(sizes(&lanes.take(10)), [3]);
        assert_eq!(sizes(&lanes.take(10)), [8, 2]);
    }

    #[test]
    fn closed_lanes_are_drained_first() {
        let lanes = Lanes::new(Room::default());
        lanes.push(request(Lane::NewMail, 1, None)).unwrap();
        lanes.close();
        assert_eq!(lanes.push(request(Lane::Security, 1, None)), Err(Busy::Closed));
        assert_eq!(lanes.wait(Duration::ZERO), Wake::Work);
        assert_eq!(sizes(&lanes.take(10)), [1]);
        assert_eq!(lanes.wait(Duration::ZERO), Wake::Closed);
    }
}
