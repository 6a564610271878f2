//! How often an enterprise showed its caller IDs.

use super::{Store, StoreError};
use paceline_core::number::ShownNumber;
use paceline_core::time::{Duration, Utc};

/// One number's uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallerIdUses {
    /// In the last 24 hours.
    pub last_day: u32,
    pub first: Option<Utc>,
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Store {
    /// The uses of a number up to `now`. Those of other enterprises count for the dialer's caps and are said to nobody.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn caller_id_uses(
        &self,
        enterprise: i64,
        number: ShownNumber,
        now: Utc,
    ) -> Result<CallerIdUses, StoreError> {
        let mut conn = self.read().await?;
        let (number, since) = (number.as_u64() as i64, (now - DAY).as_millis());
        // The plus sign has the calls found by their time: those of a campaign are many more.
        let row = sqlx::query!(
            r#"select (select count(*) from attempt a
                        where a.placed_at > $2 and a.caller_id = $1
                          and +a.campaign_id in (select c.id from campaign c where c.enterprise_id = $3)) as "used!: i64",
                      (select min(first_used_at) from caller_id where number = $1 and enterprise_id = $3) as "first: i64""#,
            number,
            since,
            enterprise
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(CallerIdUses { last_day: row.used as u32, first: row.first.map(Utc::from_millis) })
    }
}
