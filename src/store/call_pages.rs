//! Pages of the call log by key. One index gives the calls that may match, in pieces of bounded length; the filters are
//! asked of each piece. A caller that has waited long enough ends the search between two pieces, and goes on there.

use super::call_filters::{CallArgs, query_attempts, query_inbound};
use super::{CallDirection, CallFilter, CallSource, Reader, Scope, StoreError};

/// The place of a call in the log: its time, then its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKey {
    pub at: i64,
    pub id: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallOrder {
    #[default]
    Newest,
    Oldest,
    /// The longest talk first; calls that are over only. The newest first among equals, here and below.
    Longest,
    Shortest,
    /// The longest wait for an agent first.
    Waited,
}

impl CallOrder {
    pub const ALL: &[(CallOrder, &str)] = &[
        (CallOrder::Newest, "newest"),
        (CallOrder::Oldest, "oldest"),
        (CallOrder::Longest, "longest"),
        (CallOrder::Shortest, "shortest"),
        (CallOrder::Waited, "waited"),
    ];
}

/// Ids of calls in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallPage {
    pub calls: Vec<i64>,
    /// The last call of this page, or the last that was looked at; `None` = there are no more.
    pub next: Option<i64>,
    /// The search ended early: up to the call of this moment.
    pub searched_to: Option<i64>,
}

/// Why there is no page in such an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefused {
    /// More than `RANKED_MAX` calls match.
    TooMany,
    /// The search took too long.
    TooSlow,
}

/// Calls that are put in order by anything but their time.
pub const RANKED_MAX: usize = 10_000;

/// Calls of one piece: the first is small, because most pages are full at once.
const PIECE_MIN: i64 = 256;
const PIECE_MAX: i64 = 8_192;

struct Hit {
    at: i64,
    id: i64,
    /// Milliseconds from the answer to the end, and those of the wait for an agent.
    talk: i64,
    waited: i64,
    is_over: bool,
}

const BEFORE_ALL: CallKey = CallKey { at: i64::MIN, id: i64::MIN };
const AFTER_ALL: CallKey = CallKey { at: i64::MAX, id: i64::MAX };

/// The end of the piece of attempts behind `after`: the last of so many by an index.
macro_rules! attempts_end {
    ($reader:expr, $args:expr, $source:tt, $of:expr, $past:tt, $order:tt, $after:expr, $skip:expr) => {
        sqlx::query_as!(
            CallKey,
            r#"select a.placed_at as "at!", a.id as "id!" from attempt a
                where a.placed_at >= $1 and a.placed_at < $2 and "#
                + $source
                + " = $3 and (a.placed_at, a.id) "
                + $past
                + " ($4, $5) order by a.placed_at "
                + $order
                + ", a.id "
                + $order
                + " limit 1 offset $6",
            $args.from,
            $args.until,
            $of,
            $after.at,
            $after.id,
            $skip
        )
        .fetch_optional(&mut $reader.conn)
        .await
    };
}

/// The attempts that match between two places.
macro_rules! attempts_between {
    ($reader:expr, $args:expr, $source:tt, $past:tt, $upto:tt, $order:tt, $after:expr, $end:expr, $limit:expr) => {
        query_attempts!(
            Hit,
            $args,
            r#"select a.placed_at as "at!", a.id as "id!",
                      coalesce(coalesce(a.alive_at, a.ended_at) - a.answered_at, 0) as "talk!: i64",
                      coalesce(coalesce(a.connected_at, case when a.outcome in ('abandoned', 'agent_failed')
                                                             then a.ended_at end) - a.answered_at, 0)
                        as "waited!: i64",
                      a.ended_at is not null as "is_over!: bool""#,
            $source,
            ["and (a.placed_at, a.id) " + $past + " ($24, $25) and (a.placed_at, a.id) " + $upto
                + " ($26, $27) order by a.placed_at " + $order + ", a.id " + $order + " limit $28"],
            $after.at,
            $after.id,
            $end.at,
            $end.id,
            $limit
        )
        .fetch_all(&mut $reader.conn)
        .await
    };
}

macro_rules! inbound_end {
    ($reader:expr, $args:expr, $past:tt, $order:tt, $after:expr, $skip:expr) => {
        sqlx::query_as!(
            CallKey,
            r#"select a.began_at as "at!", a.id as "id!" from leg a
                where a.kind = 'inbound' and a.began_at >= $1 and a.began_at < $2 and (a.began_at, a.id) "#
                + $past + " ($3, $4) order by a.began_at " + $order + ", a.id " + $order + " limit 1 offset $5",
            $args.from,
            $args.until,
            $after.at,
            $after.id,
            $skip
        )
        .fetch_optional(&mut $reader.conn)
        .await
    };
}

macro_rules! inbound_between {
    ($reader:expr, $args:expr, $source:tt, $past:tt, $upto:tt, $order:tt, $after:expr, $end:expr, $limit:expr) => {
        query_inbound!(
            Hit,
            $args,
            r#"select a.began_at as "at!", a.id as "id!",
                      coalesce(a.ended_at - a.answered_at, 0) as "talk!: i64",
                      coalesce(coalesce(a.connected_at, a.ended_at) - coalesce(a.answered_at, a.began_at), 0)
                        as "waited!: i64",
                      a.ended_at is not null as "is_over!: bool""#,
            $source,
            ["and (a.began_at, a.id) " + $past + " ($20, $21) and (a.began_at, a.id) " + $upto
                + " ($22, $23) order by a.began_at " + $order + ", a.id " + $order + " limit $24"],
            $after.at,
            $after.id,
            $end.at,
            $end.id,
            $limit
        )
        .fetch_all(&mut $reader.conn)
        .await
    };
}

/// A search through the calls of a filter, piece by piece.
struct Search<'a> {
    filter: &'a CallFilter,
    is_newest_first: bool,
    at: CallKey,
    piece: i64,
    is_done: bool,
}

impl<'a> Search<'a> {
    fn new(filter: &'a CallFilter, order: CallOrder, after: Option<CallKey>, piece: i64) -> Search<'a> {
        let is_newest_first = order != CallOrder::Oldest;
        let start = if is_newest_first { AFTER_ALL } else { BEFORE_ALL };
        let is_done = filter.is_empty();
        Search { filter, is_newest_first, at: after.unwrap_or(start), piece, is_done }
    }

    /// What matches in the next piece, at most `limit` calls. Where fewer are found, the search stands at the end of
    /// the piece.
    async fn next(&mut self, reader: &mut Reader, limit: i64) -> Result<Vec<Hit>, StoreError> {
        let end = self.end(reader).await.map_err(|e| reader.query_error(&e))?;
        let last = if self.is_newest_first { BEFORE_ALL } else { AFTER_ALL };
        let hits = self.between(reader, end.unwrap_or(last), limit).await;
        let hits = hits.map_err(|e| reader.query_error(&e))?;
        match (end, hits.last()) {
            (_, Some(hit)) if hits.len() as i64 == limit => self.at = CallKey { at: hit.at, id: hit.id },
            (Some(end), _) => self.at = end,
            (None, _) => self.is_done = true,
        }
        self.piece = (self.piece * 4).min(PIECE_MAX);
        Ok(hits)
    }

    /// The end of the next piece; `None` = fewer calls are left, or a source of few calls, which has one piece.
    async fn end(&self, reader: &mut Reader) -> Result<Option<CallKey>, sqlx::Error> {
        let last = if self.is_newest_first { BEFORE_ALL } else { AFTER_ALL };
        let (args, at, skip) = (self.args_up_to(last), self.at, self.piece - 1);
        let (newest, enterprise) = (self.is_newest_first, args.enterprise);
        match (self.filter.direction, self.filter.source()) {
            (CallDirection::In, CallSource::Time) if newest => {
                inbound_end!(reader, args, "<", "desc", at, skip)
            }
            (CallDirection::In, CallSource::Time) => inbound_end!(reader, args, ">", "asc", at, skip),
            (_, CallSource::Time) if newest => {
                attempts_end!(reader, args, "a.enterprise_id", enterprise, "<", "desc", at, skip)
            }
            (_, CallSource::Time) => {
                attempts_end!(reader, args, "a.enterprise_id", enterprise, ">", "asc", at, skip)
            }
            (_, CallSource::Campaign) if newest => {
                attempts_end!(reader, args, "a.campaign_id", args.campaign, "<", "desc", at, skip)
            }
            (_, CallSource::Campaign) => {
                attempts_end!(reader, args, "a.campaign_id", args.campaign, ">", "asc", at, skip)
            }
            _ => Ok(None),
        }
    }

    /// The arguments for the calls behind the present place, up to `end`. The span says it once more: of two bounds of
    /// an index SQLite walks from either, and from that of the span it would begin at the first call each time.
    fn args_up_to(&self, end: CallKey) -> CallArgs<'a> {
        let mut args = self.filter.args();
        let (first, last) = if self.is_newest_first { (end.at, self.at.at) } else { (self.at.at, end.at) };
        args.from = args.from.max(first);
        args.until = args.until.min(last.saturating_add(1));
        args
    }

    async fn between(&self, reader: &mut Reader, end: CallKey, limit: i64) -> Result<Vec<Hit>, sqlx::Error> {
        let (args, at) = (self.args_up_to(end), self.at);
        macro_rules! in_order {
            ($query:ident, $source:tt) => {
                if self.is_newest_first {
                    $query!(reader, args, $source, "<", ">=", "desc", at, end, limit)
                } else {
                    $query!(reader, args, $source, ">", "<=", "asc", at, end, limit)
                }
            };
        }
        match (self.filter.direction, self.filter.source()) {
            (CallDirection::In, CallSource::Lead) => in_order!(inbound_between, "a.lead_id = $12"),
            (CallDirection::In, _) => in_order!(inbound_between, "a.id > 0"),
            (_, CallSource::Lead) => in_order!(attempts_between, "a.lead_id = $16"),
            (_, CallSource::Number) => in_order!(attempts_between, "a.number = $17"),
            (_, CallSource::Building) => in_order!(
                attempts_between,
                "a.lead_id in (select b.id from lead b where b.campaign_id = $5 and b.building = $15)"
            ),
            (_, CallSource::Campaign) => in_order!(attempts_between, "a.campaign_id = $5"),
            (_, CallSource::Time) => in_order!(attempts_between, "a.enterprise_id = $1"),
        }
    }
}

impl Reader {
    /// The place of a call in the log; of an id without a call, a place among its neighbours.
    pub async fn call_key(
        &mut self,
        scope: &Scope,
        direction: CallDirection,
        id: i64,
    ) -> Result<Option<CallKey>, StoreError> {
        let enterprise = scope.enterprise;
        let found =
            match direction {
                CallDirection::Out => {
                    sqlx::query_scalar!(
                        r#"select placed_at as "at!" from attempt where id <= $1 and enterprise_id = $2
                            order by id desc limit 1"#,
                        id,
                        enterprise
                    )
                    .fetch_optional(&mut self.conn)
                    .await
                }
                CallDirection::In => sqlx::query_scalar!(
                    r#"select coalesce(began_at, 0) as "at!: i64" from leg where kind = 'inbound' and id <= $1
                          and coalesce((select c.enterprise_id from campaign c where c.id = leg.campaign_id), 1) = $2
                        order by id desc limit 1"#,
                    id,
                    enterprise
                )
                .fetch_optional(&mut self.conn)
                .await,
            };
        Ok(found.map_err(|e| self.query_error(&e))?.map(|at| CallKey { at, id }))
    }

    /// Up to `limit` calls behind `after` that match, the newest or the oldest first. Ends early, with what it has, as
    /// soon as `is_late` says so.
    pub async fn call_page(
        &mut self,
        filter: &CallFilter,
        order: CallOrder,
        after: Option<CallKey>,
        limit: usize,
        is_late: &(dyn Fn() -> bool + Sync),
    ) -> Result<CallPage, StoreError> {
        let piece = PIECE_MIN.max(limit as i64 + 1).min(PIECE_MAX);
        let mut search = Search::new(filter, order, after, piece);
        let mut page = CallPage::default();
        while !search.is_done {
            // One more than the page holds says whether there is a next page.
            let room = limit + 1 - page.calls.len();
            let found = search.next(self, room as i64).await?;
            page.calls.extend(found.iter().map(|hit| hit.id));
            if page.calls.len() > limit {
                page.calls.truncate(limit);
                page.next = page.calls.last().copied();
                return Ok(page);
            }
            if !search.is_done && is_late() {
                (page.next, page.searched_to) = (Some(search.at.id), Some(search.at.at));
                return Ok(page);
            }
        }
        Ok(page)
    }

    /// As [`Reader::call_page`] for the orders that no index gives: every call that matches is looked at, behind
    /// `after` or not.
    pub async fn ranked_call_page(
        &mut self,
        filter: &CallFilter,
        order: CallOrder,
        after: Option<i64>,
        limit: usize,
        is_late: &(dyn Fn() -> bool + Sync),
    ) -> Result<Result<CallPage, OrderRefused>, StoreError> {
        let mut search = Search::new(filter, CallOrder::Newest, None, PIECE_MAX);
        let mut hits: Vec<Hit> = Vec::new();
        while !search.is_done {
            let found = search.next(self, RANKED_MAX as i64 + 1).await?;
            // A call that is up has no length yet, and would move while the pages are turned.
            hits.extend(found.into_iter().filter(|hit| hit.is_over));
            if hits.len() > RANKED_MAX {
                return Ok(Err(OrderRefused::TooMany));
            }
            if !search.is_done && is_late() {
                return Ok(Err(OrderRefused::TooSlow));
            }
        }
        hits.sort_by_key(|hit| match order {
            CallOrder::Shortest => (hit.talk, -hit.at, -hit.id),
            CallOrder::Waited => (-hit.waited, -hit.at, -hit.id),
            _ => (-hit.talk, -hit.at, -hit.id),
        });
        let begin = match after {
            None => 0,
            Some(id) => hits.iter().position(|hit| hit.id == id).map_or(hits.len(), |at| at + 1),
        };
        let rest = &hits[begin..];
        let calls: Vec<i64> = rest.iter().take(limit).map(|hit| hit.id).collect();
        let next = calls.last().copied().filter(|_| rest.len() > limit);
        Ok(Ok(CallPage { calls, next, searched_to: None }))
    }

    /// Counts calls that match, up to `most`; `false` = there are or may be more.
    pub async fn count_calls(
        &mut self,
        filter: &CallFilter,
        most: u64,
        is_late: &(dyn Fn() -> bool + Sync),
    ) -> Result<(u64, bool), StoreError> {
        let mut search = Search::new(filter, CallOrder::Newest, None, PIECE_MAX);
        let mut count = 0;
        while !search.is_done {
            count += search.next(self, most as i64 + 1).await?.len() as u64;
            if count > most {
                return Ok((most, false));
            }
            if !search.is_done && is_late() {
                return Ok((count, false));
            }
        }
        Ok((count, true))
    }
}
