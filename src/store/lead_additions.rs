//! Leads that people add one at a time: rows of an import of their own, `console`.

use super::change::Change;
use super::{StoreError, take_ids};
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// File and fingerprint of the import. It begins as those of added files do: a list that is loaded anew does not replace
/// it.
const FILE: &str = "console";
pub(super) const FINGERPRINT: &str = "add:console";

/// A lead to add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLead {
    pub name: Option<String>,
    /// In dialling order, each with its text.
    pub phones: Vec<(PhoneNumber, String)>,
    /// The household, as lists name it.
    pub place: Option<String>,
    pub building: Option<String>,
    /// Texts by the columns of the campaign's first list.
    pub cells: BTreeMap<String, String>,
}

/// Why a lead was not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdditionRefusal {
    /// The campaign has this number, in this row of a list.
    Duplicate { number: PhoneNumber, row: i64 },
    /// Every number is blacklisted.
    Blacklisted,
    /// The campaign's lists have no such column; these are theirs.
    Column { name: String, known: Vec<String> },
}

impl Change<'_> {
    /// Adds a lead to a campaign, or says why not; then nothing is written.
    pub async fn add_lead(
        &mut self,
        campaign: CampaignId,
        lead: &NewLead,
    ) -> Result<Result<LeadId, AdditionRefusal>, StoreError> {
        let now = self.at().as_millis();
        let added = add(self.conn(), campaign.0, lead, now).await;
        let added = added.map_err(|e| self.error(e))?;
        if added.is_ok() {
            self.note_leads_changed();
        }
        Ok(added)
    }
}

async fn add(
    conn: &mut SqliteConnection,
    campaign: i64,
    new: &NewLead,
    now: i64,
) -> Result<Result<LeadId, AdditionRefusal>, sqlx::Error> {
    for (number, _) in &new.phones {
        if let Some(row) = row_with(conn, campaign, *number).await? {
            return Ok(Err(AdditionRefusal::Duplicate { number: *number, row }));
        }
    }
    let mut phones = Vec::new();
    for phone in &new.phones {
        if !is_blacklisted(conn, campaign, phone.0, now).await? {
            phones.push(phone);
        }
    }
    if phones.is_empty() {
        return Ok(Err(AdditionRefusal::Blacklisted));
    }
    let header = header_of(conn, campaign, new).await?;
    if let Some(name) = new.cells.keys().find(|name| !header.contains(name)) {
        return Ok(Err(AdditionRefusal::Column { name: name.clone(), known: header }));
    }
    let (import, header) = import_of(conn, campaign, header, now).await?;
    let cells: Vec<&str> = header.iter().map(|name| new.cells.get(name).map_or("", String::as_str)).collect();
    let cells = serde_json::to_string(&cells).unwrap_or_else(|_| "[]".into());
    let household = match &new.place {
        Some(place) => Some(household_of(conn, campaign, place).await?),
        None => None,
    };
    let lead = take_ids(conn, "lead", 1).await?;
    sqlx::query!(
        "insert into lead (id, campaign_id, import_id, list_row, household_id, name, cells, building)
         select $1, $2, $3, coalesce(max(l.list_row), 1) + 1, $4, $5, $6, $7 from lead l where l.import_id = $3",
        lead,
        campaign,
        import,
        household,
        new.name,
        cells,
        new.building
    )
    .execute(&mut *conn)
    .await?;
    for (position, (number, given)) in (0_i64..).zip(phones) {
        let number = number.as_u64() as i64;
        sqlx::query!(
            "insert into phone (lead_id, position, number, given) values ($1, $2, $3, $4)",
            lead,
            position,
            number,
            given
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!("update import set rows_read = rows_read + 1 where id = $1", import)
        .execute(&mut *conn)
        .await?;
    super::upload_loads::close_done_households(conn, import, lead).await?;
    Ok(Ok(LeadId(lead)))
}

/// The row of the campaign's lead with this number.
async fn row_with(
    conn: &mut SqliteConnection,
    campaign: i64,
    number: PhoneNumber,
) -> Result<Option<i64>, sqlx::Error> {
    let number = number.as_u64() as i64;
    sqlx::query_scalar!(
        r#"select l.list_row as "row!" from phone p join lead l on l.id = p.lead_id
             join import i on i.id = l.import_id and i.state = 'done'
            where p.number = $1 and l.campaign_id = $2 order by l.id limit 1"#,
        number,
        campaign
    )
    .fetch_optional(conn)
    .await
}

async fn is_blacklisted(
    conn: &mut SqliteConnection,
    campaign: i64,
    number: PhoneNumber,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let number = number.as_u64() as i64;
    sqlx::query_scalar!(
        r#"select exists (select 1 from blacklist b
             where (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))
                          and b.campaign_id in (0, $2) and (b.until is null or b.until > $3)
               and (b.is_prefix or b.digits = $1) and b.digits in
                ($1, $1 / 10, $1 / 100, $1 / 1000, $1 / 10000, $1 / 100000, $1 / 1000000, $1 / 10000000,
                 $1 / 100000000, $1 / 1000000000, $1 / 10000000000, $1 / 100000000000,
                 $1 / 1000000000000, $1 / 10000000000000, $1 / 100000000000000)) as "n!: bool""#,
        number,
        campaign,
        now
    )
    .fetch_one(conn)
    .await
}

/// The columns of the campaign's first list; those of this lead where it has no list.
async fn header_of(
    conn: &mut SqliteConnection,
    campaign: i64,
    new: &NewLead,
) -> Result<Vec<String>, sqlx::Error> {
    let header = sqlx::query_scalar!(
        "select header from import where campaign_id = $1 and state = 'done' order by id limit 1",
        campaign
    )
    .fetch_optional(conn)
    .await?;
    let known: Option<Vec<String>> = header.and_then(|text| serde_json::from_str(&text).ok());
    Ok(known.unwrap_or_else(|| new.cells.keys().cloned().collect()))
}

/// The campaign's import of added leads, with its columns; made where there is none.
async fn import_of(
    conn: &mut SqliteConnection,
    campaign: i64,
    header: Vec<String>,
    now: i64,
) -> Result<(i64, Vec<String>), sqlx::Error> {
    let known = sqlx::query!(
        r#"select id as "id!", header from import
            where campaign_id = $1 and fingerprint = $2 and state = 'done' order by id limit 1"#,
        campaign,
        FINGERPRINT
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(known) = known {
        return Ok((known.id, serde_json::from_str(&known.header).unwrap_or_default()));
    }
    let id = take_ids(conn, "import", 1).await?;
    let text = serde_json::to_string(&header).unwrap_or_else(|_| "[]".into());
    sqlx::query!(
        "insert into import (id, campaign_id, file, fingerprint, header, state, began_at, done_at)
         values ($1, $2, $3, $4, $5, 'done', $6, $6)",
        id,
        campaign,
        FILE,
        FINGERPRINT,
        text,
        now
    )
    .execute(conn)
    .await?;
    Ok((id, header))
}

async fn household_of(conn: &mut SqliteConnection, campaign: i64, name: &str) -> Result<i64, sqlx::Error> {
    let known = sqlx::query_scalar!(
        r#"select id as "id!" from household where campaign_id = $1 and name = $2"#,
        campaign,
        name
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let id = take_ids(conn, "household", 1).await?;
    sqlx::query!("insert into household (id, campaign_id, name) values ($1, $2, $3)", id, campaign, name)
        .execute(conn)
        .await?;
    Ok(id)
}
