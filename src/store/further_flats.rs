//! Flats that list rows name beside a number that another row has.

use super::imports::json;
use crate::lists::FurtherFlat;
use sqlx::SqliteConnection;

/// Writes the flats that are others than those of the leads that have their numbers.
pub(super) async fn insert(
    conn: &mut SqliteConnection,
    campaign: i64,
    import: i64,
    flats: &[&FurtherFlat],
) -> Result<(), sqlx::Error> {
    if flats.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = flats
        .iter()
        .map(|flat| (flat.row, flat.number.as_u64(), flat.household.replace('\0', "\u{fffd}"), flat.area))
        .collect();
    let rows = json(&rows);
    sqlx::query!(
        "insert into further_flat (import_id, list_row, number, household, area)
         select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($3)
          where not exists
            (select 1 from phone p join lead l on l.id = p.lead_id join household h on h.id = l.household_id
              where p.number = value ->> 1 and l.campaign_id = $2 and h.name = value ->> 2)
         on conflict (import_id, list_row) do nothing",
        import,
        campaign,
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}
