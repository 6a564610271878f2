//! The blacklist (do-not-call numbers and prefixes), system-wide or per campaign. Each entry names its source,
//! so that a file can be reloaded without touching entries made by people and key presses.
//!
//! The dial check asks it in the transaction that opens an attempt: a number has at most 16 patterns
//! (`NumberPattern::matching`), each found by an index. Everything else here is a courtesy: leads are closed
//! and the engine is notified after the commit, so that no one waits for the next attempt to find out.

use super::{Reader, Store, StoreError, take_ids};
use paceline_core::ids::CampaignId;
use paceline_core::number::PhoneNumber;
use paceline_core::number_pattern::NumberPattern;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;
use tokio::sync::mpsc;

/// The scope of entries that apply to every campaign.
const SYSTEM: i64 = 0;

/// Patterns per transaction: short enough that a call's commit waits only milliseconds for it.
pub(super) const CHUNK: usize = 2_000;

/// Leads closed per transaction.
const CLOSE: i64 = 1_000;

pub(crate) fn scope(campaign: Option<CampaignId>) -> i64 {
    campaign.map_or(SYSTEM, |campaign| campaign.0)
}

/// Patterns to put on the blacklist, all with the same words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlacklistAddition {
    /// `None` = every campaign.
    pub campaign: Option<CampaignId>,
    pub patterns: Vec<NumberPattern>,
    /// A file, a key press, or what people add by command and API.
    pub source: String,
    pub reason: Option<String>,
    pub added_by: Option<String>,
    /// The first moment at which the patterns no longer hold. Until then their leads wait; without it they are
    /// closed.
    pub until: Option<Utc>,
}

/// An entry of the blacklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlacklistEntry {
    /// Never used again.
    pub id: i64,
    /// `None` = every campaign.
    pub campaign: Option<CampaignId>,
    pub pattern: NumberPattern,
    pub source: String,
    pub reason: Option<String>,
    pub added_by: Option<String>,
    pub until: Option<Utc>,
    pub added_at: Utc,
}

/// Which entries are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlacklistFilter {
    /// `None` = every scope; `Some(None)` = the system-wide entries; else those of this campaign.
    pub scope: Option<Option<CampaignId>>,
    /// Entries that match this number.
    pub number: Option<PhoneNumber>,
    /// Leaves out entries that no longer hold at this moment.
    pub in_force_at: Option<Utc>,
    /// Entries with a higher id: the next page.
    pub after: i64,
}

/// What became of an addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlacklistAdded {
    /// Patterns that this source had not named before.
    pub added: u64,
    /// Open leads that had no other number left.
    pub leads_closed: u64,
}

/// Patterns that were committed to the blacklist: the engine takes back ringing calls and drops waiting leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlacklistChange {
    /// `None` = every campaign.
    pub campaign: Option<CampaignId>,
    pub patterns: Vec<NumberPattern>,
}

impl Store {
    /// Every later addition, sent right after its commit. Entries made by key presses are not among them: the
    /// writer replies to those.
    pub fn blacklist_changes(&self) -> mpsc::UnboundedReceiver<BlacklistChange> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock_listeners().push(sender);
        receiver
    }

    fn notify_blacklisted(&self, campaign: Option<CampaignId>, patterns: &[NumberPattern]) {
        self.lock_listeners().retain(|listener| {
            listener.send(BlacklistChange { campaign, patterns: patterns.to_vec() }).is_ok()
        });
    }

    /// Puts patterns on the blacklist: the dial check refuses their numbers from the first commit on. Then the
    /// engine is notified, and the open leads that have no other number left are closed; where the patterns have an
    /// end, leads wait for it instead. A pattern that its source had named already gets the new words.
    pub async fn add_blacklist(&self, addition: &BlacklistAddition) -> Result<BlacklistAdded, StoreError> {
        let mut done = BlacklistAdded::default();
        for chunk in addition.patterns.chunks(CHUNK) {
            let now = self.now();
            let added = self.transaction(async |conn| insert(conn, addition, chunk, 0, now).await).await;
            done.added += added.map_err(self.query_error())?;
            self.notify_blacklisted(addition.campaign, chunk);
        }
        if addition.until.is_none() {
            for chunk in addition.patterns.chunks(CHUNK) {
                done.leads_closed += self.close_blacklisted_leads(addition.campaign, chunk).await?;
            }
        }
        Ok(done)
    }

    /// What follows an addition that a [`Change`](super::Change) has committed: the engine is notified, and open leads that have no
    /// other number left are closed. Returns their number.
    pub async fn apply_blacklist(&self, addition: &BlacklistAddition) -> Result<u64, StoreError> {
        let mut closed = 0;
        for chunk in addition.patterns.chunks(CHUNK) {
            self.notify_blacklisted(addition.campaign, chunk);
            if addition.until.is_none() {
                closed += self.close_blacklisted_leads(addition.campaign, chunk).await?;
            }
        }
        Ok(closed)
    }

    /// Closes the phones that these patterns match, and the leads that have no other phone left, in bounded
    /// transactions.
    async fn close_blacklisted_leads(
        &self,
        campaign: Option<CampaignId>,
        patterns: &[NumberPattern],
    ) -> Result<u64, StoreError> {
        let (scope, ranges) = (scope(campaign), ranges_json(patterns));
        let mut all = 0;
        loop {
            let closed = self.transaction(async |conn| close_leads(conn, scope, &ranges).await).await;
            let (candidates, closed) = closed.map_err(self.query_error())?;
            all += closed;
            if candidates == 0 {
                self.write.note_lists_changed();
                return Ok(all);
            }
        }
    }

    /// Takes patterns off the blacklist of this scope, whoever put them there, and returns the number of
    /// entries. Leads that they closed stay closed; a file that names them brings them back when it is read.
    pub async fn remove_blacklist(
        &self,
        campaign: Option<CampaignId>,
        patterns: &[NumberPattern],
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        for chunk in patterns.chunks(CHUNK) {
            let deleted = self.transaction(async |conn| delete_patterns(conn, campaign, chunk).await);
            removed += deleted.await.map_err(self.query_error())?;
        }
        Ok(removed)
    }

    /// Removes one entry.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if there is no entry with this id.
    pub async fn remove_blacklist_entry(&self, id: i64) -> Result<(), StoreError> {
        let removed =
            self.transaction(async |conn| delete_entry(conn, id).await).await.map_err(self.query_error())?;
        super::agents::require_found(removed, || format!("a blacklist entry with id {id}"))
    }

    /// Makes these patterns the entries of `source`; those that it no longer names are removed. The new ones hold
    /// before the first old one goes. `None` = system-wide. Leads are not closed here but at their dial check; a
    /// campaign reads its files before it is opened, so the engine is not notified of those.
    pub async fn replace_blacklist<P: Copy + Into<NumberPattern>>(
        &self,
        campaign: Option<CampaignId>,
        source: &str,
        patterns: &[P],
    ) -> Result<(), StoreError> {
        let now = self.now();
        let reading = self.transaction(async |conn| take_ids(conn, "blacklist_reading", 1).await).await;
        let reading = reading.map_err(self.query_error())?;
        let mut addition = BlacklistAddition { campaign, source: source.into(), ..Default::default() };
        for chunk in patterns.chunks(CHUNK) {
            addition.patterns = chunk.iter().map(|pattern| (*pattern).into()).collect();
            let added = self
                .transaction(async |conn| insert(conn, &addition, &addition.patterns, reading, now).await);
            added.await.map_err(self.query_error())?;
            if campaign.is_none() {
                self.notify_blacklisted(campaign, &addition.patterns);
            }
        }
        let scope = scope(campaign);
        self.transaction(async |conn| {
            sqlx::query!(
                "delete from blacklist where campaign_id = $1 and source = $2 and reading < $3 and import_id = 0",
                scope,
                source,
                reading
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Adds one number and closes the leads that have no other phone left. `None` = system-wide.
    pub async fn blacklist(
        &self,
        campaign: Option<CampaignId>,
        number: PhoneNumber,
        source: &str,
    ) -> Result<(), StoreError> {
        let addition = BlacklistAddition {
            campaign,
            patterns: vec![number.into()],
            source: source.into(),
            ..BlacklistAddition::default()
        };
        self.add_blacklist(&addition).await.map(|_| ())
    }

    /// Every pattern that holds for this campaign now, distinct: numbers ascending, then prefixes.
    pub async fn blacklisted(&self, campaign: Option<CampaignId>) -> Result<Vec<NumberPattern>, StoreError> {
        let (scope, now) = (scope(campaign), self.now().as_millis());
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select distinct b.is_prefix as "is_prefix!: bool", b.digits as "digits!" from blacklist b
                where b.campaign_id in (0, $1) and (b.until is null or b.until > $2)
                  and (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))
                order by b.is_prefix, b.digits"#,
            scope,
            now
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().filter_map(|row| pattern(row.digits, row.is_prefix)).collect())
    }
}

pub(super) async fn delete_patterns(
    conn: &mut SqliteConnection,
    campaign: Option<CampaignId>,
    patterns: &[NumberPattern],
) -> Result<u64, sqlx::Error> {
    let (scope, wanted) = (scope(campaign), patterns_json(0, patterns));
    let deleted = sqlx::query!(
        "delete from blacklist where campaign_id = $1 and exists (
           select 1 from json_each($2) w
            where cast(w.value ->> 1 as bigint) = blacklist.digits
              and cast(w.value ->> 2 as bigint) = blacklist.is_prefix)
           and digits in (select cast(value ->> 1 as bigint) from json_each($2))",
        scope,
        wanted
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

pub(super) async fn delete_entry(conn: &mut SqliteConnection, id: i64) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!("delete from blacklist where id = $1", id).execute(conn).await?;
    Ok(deleted.rows_affected())
}

impl Reader {
    /// Up to `limit` entries of the blacklist, in the order in which they were added.
    pub async fn blacklist_entries(
        &mut self,
        filter: BlacklistFilter,
        limit: u32,
    ) -> Result<Vec<BlacklistEntry>, StoreError> {
        let scope = filter.scope.map(scope);
        let number = filter.number.map(|number| number.as_u64() as i64);
        let (at, limit) = (filter.in_force_at.map(Utc::as_millis), i64::from(limit));
        let rows = sqlx::query!(
            r#"select id as "id!", campaign_id, digits, is_prefix as "is_prefix!: bool", source, reason,
                      added_by, until, added_at
                 from blacklist b
                where b.id > $1 and (cast($2 as bigint) is null or b.campaign_id = $2)
                  and (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))
                  and (cast($3 as bigint) is null or b.until is null or b.until > $3)
                  and (cast($4 as bigint) is null or (b.is_prefix or b.digits = $4) and b.digits in
                   ($4, $4 / 10, $4 / 100, $4 / 1000, $4 / 10000, $4 / 100000, $4 / 1000000, $4 / 10000000,
                    $4 / 100000000, $4 / 1000000000, $4 / 10000000000, $4 / 100000000000,
                    $4 / 1000000000000, $4 / 10000000000000, $4 / 100000000000000))
                order by b.id limit $5"#,
            filter.after,
            scope,
            at,
            number,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let entries = rows.into_iter().filter_map(|row| {
            Some(BlacklistEntry {
                id: row.id,
                campaign: (row.campaign_id != SYSTEM).then_some(CampaignId(row.campaign_id)),
                pattern: pattern(row.digits, row.is_prefix)?,
                source: row.source,
                reason: row.reason,
                added_by: row.added_by,
                until: row.until.map(Utc::from_millis),
                added_at: Utc::from_millis(row.added_at),
            })
        });
        Ok(entries.collect())
    }
}

/// A stored pattern. `None` = the number is no longer one that may be dialled.
pub(super) fn pattern(digits: i64, is_prefix: bool) -> Option<NumberPattern> {
    let digits = u64::try_from(digits).ok()?;
    match is_prefix {
        true => NumberPattern::prefix(digits),
        false => PhoneNumber::from_e164(digits).map(NumberPattern::exact),
    }
}

/// Writes the patterns; returns the number of those that this source had not named before.
pub(super) async fn insert(
    conn: &mut SqliteConnection,
    addition: &BlacklistAddition,
    patterns: &[NumberPattern],
    reading: i64,
    now: Utc,
) -> Result<u64, sqlx::Error> {
    let (scope, now) = (scope(addition.campaign), now.as_millis());
    let until = addition.until.map(Utc::as_millis);
    let first = take_ids(conn, "blacklist", patterns.len()).await?;
    let rows = patterns_json(first, patterns);
    let before = count_named(conn, scope, &addition.source, &rows).await?;
    sqlx::query!(
        "insert into blacklist (id, campaign_id, digits, is_prefix, source, reason, added_by, until, added_at,
                                reading)
         select value ->> 0, $2, value ->> 1, value ->> 2, $3, $4, $5, $6, $7, $8 from json_each($1) where true
         on conflict (digits, is_prefix, campaign_id, source, import_id) do update
           set reason = coalesce(excluded.reason, blacklist.reason),
               added_by = coalesce(excluded.added_by, blacklist.added_by),
               until = excluded.until, reading = excluded.reading",
        rows,
        scope,
        addition.source,
        addition.reason,
        addition.added_by,
        until,
        now,
        reading
    )
    .execute(&mut *conn)
    .await?;
    Ok(count_named(conn, scope, &addition.source, &rows).await? - before)
}

async fn count_named(
    conn: &mut SqliteConnection,
    scope: i64,
    source: &str,
    rows: &str,
) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "n!: i64" from json_each($1) w cross join blacklist b
            where b.digits = cast(w.value ->> 1 as bigint) and b.is_prefix = cast(w.value ->> 2 as bigint)
              and b.campaign_id = $2 and b.source = $3 and b.import_id = 0"#,
        rows,
        scope,
        source
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(count as u64)
}

/// Closes up to [`CLOSE`] open phones in these ranges and the leads that have no other left. Returns how many
/// phones there were, and how many open leads were closed.
async fn close_leads(
    conn: &mut SqliteConnection,
    scope: i64,
    ranges: &str,
) -> Result<(u64, u64), sqlx::Error> {
    let phones = sqlx::query!(
        r#"select p.lead_id as "lead_id!", p.number as "number!" from json_each($1) r cross join phone p
             join lead l on l.id = p.lead_id
            where p.number between cast(r.value ->> 0 as bigint) and cast(r.value ->> 1 as bigint)
              and not p.closed and l.state in ('open', 'follow_up') and $2 in (0, l.campaign_id) limit $3"#,
        ranges,
        scope,
        CLOSE
    )
    .fetch_all(&mut *conn)
    .await?;
    if phones.is_empty() {
        return Ok((0, 0));
    }
    let leads = json_numbers(phones.iter().map(|row| row.lead_id));
    let numbers = json_numbers(phones.iter().map(|row| row.number));
    sqlx::query!(
        "update phone set closed = true
          where lead_id in (select cast(value as bigint) from json_each($1))
            and number in (select cast(value as bigint) from json_each($2))",
        leads,
        numbers
    )
    .execute(&mut *conn)
    .await?;
    let closed = sqlx::query!(
        "update lead set state = 'failed', reason = 'blacklisted'
          where (state = 'open' or state = 'follow_up' and next_at > 0)
            and id in (select cast(value as bigint) from json_each($1))
            and not exists (select 1 from phone p where p.lead_id = lead.id and not p.closed)",
        leads
    )
    .execute(&mut *conn)
    .await?;
    Ok((phones.len() as u64, closed.rows_affected()))
}

/// Adds one number and closes the leads that have no other phone left. Returns the campaign of each open
/// lead that this closed.
pub(crate) async fn add(
    conn: &mut SqliteConnection,
    campaign: Option<CampaignId>,
    number: PhoneNumber,
    source: &str,
    now: Utc,
) -> Result<Vec<CampaignId>, sqlx::Error> {
    let addition = BlacklistAddition { campaign, source: source.into(), ..BlacklistAddition::default() };
    insert(conn, &addition, &[number.into()], 0, now).await?;
    let (scope, number) = (scope(campaign), number.as_u64() as i64);
    sqlx::query!(
        "update phone set closed = true where number = $1 and lead_id in
           (select l.id from phone p join lead l on l.id = p.lead_id
             where p.number = $1 and l.state in ('open', 'follow_up') and $2 in (0, l.campaign_id))",
        number,
        scope
    )
    .execute(&mut *conn)
    .await?;
    let closed = sqlx::query_scalar!(
        r#"update lead set state = 'failed', reason = 'blacklisted'
            where (state = 'open' or state = 'follow_up' and next_at > 0) and $2 in (0, campaign_id)
              and id in (select lead_id from phone where number = $1)
              and not exists (select 1 from phone p where p.lead_id = lead.id and not p.closed)
           returning campaign_id"#,
        number,
        scope
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(closed.into_iter().map(CampaignId).collect())
}

/// `[[id, digits, is_prefix], …]`, ids from `first` on.
pub(super) fn patterns_json(first: i64, patterns: &[NumberPattern]) -> String {
    let rows: Vec<_> = (first..)
        .zip(patterns)
        .map(|(id, pattern)| (id, pattern.digits(), u8::from(pattern.is_prefix())))
        .collect();
    serde_json::to_string(&rows).expect("numbers always have a JSON form")
}

/// `[[lowest, highest], …]`: the numbers of these patterns as ranges, one for each length that a number may have.
fn ranges_json(patterns: &[NumberPattern]) -> String {
    let mut ranges = Vec::new();
    for pattern in patterns {
        let (mut low, mut high) = (pattern.digits(), pattern.digits());
        ranges.push((low, high));
        while pattern.is_prefix() && high < 10u64.pow(NumberPattern::DIGITS_MAX as u32 - 1) {
            (low, high) = (low * 10, high * 10 + 9);
            ranges.push((low, high));
        }
    }
    serde_json::to_string(&ranges).expect("numbers always have a JSON form")
}

/// `[1,2,3]`: binds a list of numbers as one JSON argument for `json_each`.
pub(crate) fn json_numbers(numbers: impl Iterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for (i, number) in numbers.enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}
