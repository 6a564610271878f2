//! The tables that exports are made of, each read by key, one campaign after the other.

use super::super::context::{TaskEnd, Words};
use super::super::list_report::{FixForm, write_fix};
use super::wish::{chosen_campaigns, inbound_places};
use super::{Export, OpenPart, Part};
use crate::results::export::{
    CallTables, HoursTable, InboundTable, LeadTable, RowCounts, attempt_columns, call_in_columns,
    hours_columns,
};
use crate::results::records::{RecordRows, audit_columns, blacklist_columns};
use crate::results::shape::{Shape, ShapedSink};
use crate::results::{Format, Sink};
use crate::store::export_rows::EXPORT_PAGE;
use crate::store::list_uploads::UploadId;
use crate::store::{BlacklistFilter, CallDirection, CallFilter, CampaignRecord, LeadKey};
use crate::text::{Lang, TimeFormat};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::io;

/// Inbound calls a page.
const CALLS_PAGE: u32 = 1_024;
/// Leads whose ids are read at once.
const IDS_PAGE: usize = 4_000;
/// Days begin and end in this zone where none is named.
const DEFAULT_ZONE: &str = "Asia/Shanghai";

/// A name in the filters was taken away meanwhile.
fn gone(what: &str) -> TaskEnd {
    TaskEnd::Failed(Words::new(
        format!("the {what} of the filters is not there any more; ask again"),
        "筛选条件中的对象已不存在,请重新提交",
    ))
}

impl Export<'_, '_> {
    fn campaigns(&mut self) -> Result<Vec<CampaignRecord>, TaskEnd> {
        let all = self.context.wait(self.reader.campaigns())?;
        let chosen = chosen_campaigns(all, &self.wish.scope(), self.filters.campaign.as_deref());
        if chosen.is_empty() && self.filters.campaign.is_some() {
            return Err(gone("campaign"));
        }
        Ok(chosen)
    }

    fn call_filter(&self, direction: CallDirection) -> CallFilter {
        CallFilter { direction, ..self.filters.calls(&self.wish) }
    }

    pub(super) fn attempts(&mut self) -> Result<(), TaskEnd> {
        let shape = Shape::of(&attempt_columns(), &self.columns, self.is_masked());
        let mut part = self.begin_part("attempts", &shape)?;
        if self.filters.takes_outbound() {
            self.fill_attempts(&mut part, &shape, &mut |_| ())?;
        }
        self.end_part(part)
    }

    /// Writes the attempts that match; `each` is given the ids of each page.
    pub(super) fn fill_attempts(
        &mut self,
        part: &mut OpenPart,
        shape: &Shape,
        each: &mut dyn FnMut(&[i64]),
    ) -> Result<(), TaskEnd> {
        let (campaigns, wanted) = (self.campaigns()?, self.call_filter(CallDirection::Out));
        let (mut counts, mut expected) = (RowCounts::new(), RowCounts::new());
        for campaign in campaigns {
            let id = campaign.id;
            let mut sink = ShapedSink::new(&mut part.file, shape);
            sink.set_front(&campaign.name);
            let (mut table, mut after) = (CallTables::of(campaign), i64::MIN);
            loop {
                let began = self.context.now();
                let ids = self.context.wait(self.reader.attempt_ids(id, &wanted, after))?;
                let Some(last) = ids.last() else { break };
                after = *last;
                self.context.wait(table.attempts(&mut self.reader, &ids, &mut sink, &mut counts))?;
                each(&ids);
                self.pause(began, ids.len() as u64)?;
                self.check_sheet(part.rows + sink.rows())?;
                if ids.len() < EXPORT_PAGE {
                    break;
                }
            }
            part.rows += sink.rows();
            for (word, count) in self.context.wait(self.reader.count_attempts(id, &wanted))? {
                *expected.entry(word).or_default() += count;
            }
        }
        self.compare("attempts", &counts, &expected)?;
        self.count(&part.name, "outcome", counts);
        Ok(())
    }

    /// What was written is what the database counts at the same moment.
    fn compare(&self, table: &str, written: &RowCounts, counted: &RowCounts) -> Result<(), TaskEnd> {
        if written == counted {
            return Ok(());
        }
        tracing::error!(?written, ?counted, table, "an export differs from the counts of its moment");
        Err(TaskEnd::Failed(Words::new(
            "the rows that were written are not those that the store counts, so the file was not kept; ask again, and \
             report this",
            "写出的行与数据库的计数不一致,文件未保留;请重试并报告此问题",
        )))
    }

    pub(super) fn calls(&mut self) -> Result<(), TaskEnd> {
        let outbound = Shape::of(&attempt_columns(), &self.columns, self.is_masked());
        let inbound = Shape::of(&call_in_columns(), &self.columns, self.is_masked());
        let mut part = match self.filters.takes_outbound() {
            true => {
                let mut part = self.begin_part("attempts", &outbound)?;
                self.fill_attempts(&mut part, &outbound, &mut |_| ())?;
                if !self.filters.takes_inbound() {
                    return self.end_part(part);
                }
                // A workbook has a sheet for each, the other formats a file.
                if part.file.begin_table("calls_in", inbound.columns())? {
                    part
                } else {
                    self.end_part(part)?;
                    self.begin_part("calls_in", &inbound)?
                }
            }
            false => self.begin_part("calls_in", &inbound)?,
        };
        if self.filters.takes_inbound() {
            self.fill_inbound(&mut part, &inbound)?;
        }
        self.end_part(part)
    }

    fn fill_inbound(&mut self, part: &mut OpenPart, shape: &Shape) -> Result<(), TaskEnd> {
        let (campaigns, wanted) = (self.campaigns()?, self.call_filter(CallDirection::In));
        let mut counts = RowCounts::new();
        let places = inbound_places(&campaigns, &self.wish, self.filters.campaign.as_deref());
        for place in places {
            let campaign = campaigns.iter().find(|it| Some(it.id) == place);
            let mut table = InboundTable::of(campaign);
            let mut sink = ShapedSink::new(&mut part.file, shape);
            sink.set_front(campaign.map_or("", |it| &it.name));
            let mut after = i64::MIN;
            loop {
                let began = self.context.now();
                let ids = self.context.wait(self.reader.inbound_ids(place, &wanted, after))?;
                let Some(last) = ids.last().copied() else { break };
                let mut wanted_ids: FxHashSet<i64> = ids.iter().copied().collect();
                while !wanted_ids.is_empty() {
                    let page = self.context.wait(self.reader.inbound_calls(place, after, CALLS_PAGE))?;
                    let Some(end) = page.last() else { break };
                    after = end.id.min(last);
                    for row in page {
                        if wanted_ids.remove(&row.id) {
                            table.row(row, &mut sink, &mut counts)?;
                        }
                    }
                }
                after = last;
                self.pause(began, ids.len() as u64)?;
                if ids.len() < EXPORT_PAGE {
                    break;
                }
            }
            part.rows += sink.rows();
        }
        self.count(&part.name, "inbound", counts);
        Ok(())
    }

    pub(super) fn leads(&mut self) -> Result<(), TaskEnd> {
        let campaign = self.campaigns()?.into_iter().next().ok_or_else(|| gone("campaign"))?;
        let imports = self.context.wait(self.reader.imports(campaign.id))?;
        let only = match self.filters.leads() {
            Some(filter) => Some(self.lead_ids(&campaign, &filter)?),
            None => None,
        };
        let mut table = LeadTable::of(&campaign, &imports);
        let shape = Shape::of(&table.columns(), &self.columns, self.is_masked());
        let mut part = self.begin_part("leads", &shape)?;
        let mut counts = RowCounts::new();
        let mut sink = ShapedSink::new(&mut part.file, &shape);
        loop {
            let (began, before) = (self.context.now(), sink.rows());
            let page = table.page(&mut self.reader, only.as_ref(), &mut sink, &mut counts);
            if !self.context.wait(page)? {
                break;
            }
            self.pause(began, sink.rows() - before)?;
            self.check_sheet(sink.rows())?;
        }
        part.rows = sink.rows();
        if only.is_none() {
            let sums = self.context.wait(self.reader.lead_sums(campaign.id))?;
            let refused: u64 = sums.refused.values().sum();
            let refused = (refused > 0).then(|| ("refused".to_owned(), refused));
            self.compare("leads", &counts, &sums.leads.into_iter().chain(refused).collect())?;
        }
        self.count(&part.name, "state", counts);
        self.end_part(part)
    }

    fn lead_ids(
        &mut self,
        campaign: &CampaignRecord,
        filter: &crate::store::LeadFilter,
    ) -> Result<FxHashSet<i64>, TaskEnd> {
        let (mut found, mut after) = (FxHashSet::default(), LeadKey::default());
        loop {
            let page = self.reader.lead_page(campaign.id, filter, after, IDS_PAGE, &|| false);
            let page = self.context.wait(page)?;
            found.extend(page.leads.iter().map(|key| key.lead));
            self.context.check_wanted()?;
            match page.next {
                Some(next) => after = next,
                None => return Ok(found),
            }
        }
    }

    pub(super) fn hours(&mut self) -> Result<(), TaskEnd> {
        let (campaigns, wanted) = (self.campaigns()?, self.call_filter(CallDirection::Out));
        let scope = self.wish.scope();
        let zone = self.filters.zone.clone().unwrap_or_else(|| DEFAULT_ZONE.to_owned());
        let mut table = HoursTable::of(TimeFormat::in_zone(&zone).zone().clone());
        for campaign in &campaigns {
            let mut after = i64::MIN;
            loop {
                let began = self.context.now();
                let ids = self.context.wait(self.reader.attempt_ids(campaign.id, &wanted, after))?;
                let Some(last) = ids.last() else { break };
                after = *last;
                self.context.wait(table.attempts(&mut self.reader, campaign, &ids))?;
                self.pause(began, 0)?;
            }
        }
        let (from, until) = (wanted.from.unwrap_or(0), wanted.until.unwrap_or(self.moment.as_millis()));
        for place in inbound_places(&campaigns, &self.wish, self.filters.campaign.as_deref()) {
            let mut after = i64::MIN;
            loop {
                let page = self.context.wait(self.reader.inbound_calls(place, after, CALLS_PAGE))?;
                let Some(last) = page.last() else { break };
                after = last.id;
                let is_within = |at: Option<i64>| at.is_some_and(|at| (from..until).contains(&at));
                page.iter().filter(|row| is_within(row.began_at)).for_each(|row| table.call_in(row));
                self.context.check_wanted()?;
            }
        }
        let agents = self.context.wait(self.reader.all_agents())?;
        let is_named = |number: &str| self.filters.agent.as_deref().is_none_or(|named| named == number);
        let agents: Vec<_> = agents
            .into_iter()
            .filter(|row| scope.holds(row.enterprise, row.organisation) && is_named(&row.number))
            .collect();
        let shape = Shape::of(&hours_columns(), &self.columns, self.is_masked());
        let mut part = self.begin_part("agents", &shape)?;
        for few in agents.chunks(20) {
            let began = self.context.now();
            let mut sink = ShapedSink::new(&mut part.file, &shape);
            self.context.wait(table.fill(&mut self.reader, few, (from, until), &mut sink))?;
            let rows = sink.rows();
            part.rows += rows;
            self.pause(began, rows)?;
        }
        self.end_part(part)
    }

    pub(super) fn audit(&mut self) -> Result<(), TaskEnd> {
        let (enterprise, filter) = (self.wish.enterprise, self.filters.audit(&self.wish.scope()));
        let shape = Shape::of(&audit_columns(), &self.columns, self.is_masked());
        let mut part = self.begin_part("audit", &shape)?;
        let (mut rows, mut counts, mut after) = (RecordRows::default(), RowCounts::new(), 0);
        let mut sink = ShapedSink::new(&mut part.file, &shape);
        loop {
            let began = self.context.now();
            let page = self.context.wait(self.reader.audit_rows(enterprise, &filter, after))?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let held = page.len() as u64;
            for row in page {
                *counts.entry(row.action.clone()).or_default() += 1;
                sink.row(&rows.audit(row))?;
            }
            self.pause(began, held)?;
            self.check_sheet(sink.rows())?;
        }
        part.rows = sink.rows();
        self.count(&part.name, "action", counts);
        self.end_part(part)
    }

    pub(super) fn blacklist(&mut self) -> Result<(), TaskEnd> {
        let campaigns: BTreeMap<_, _> = self.campaigns()?.into_iter().map(|it| (it.id, it.name)).collect();
        let is_system_alone = self.filters.scope.is_some();
        let of_system = self.wish.sees_system && self.filters.campaign.is_none();
        let scope = match (is_system_alone, self.filters.campaign.is_some()) {
            (true, _) => Some(None),
            (false, true) => Some(campaigns.keys().next().copied()),
            _ => None,
        };
        let shape = Shape::of(&blacklist_columns(), &self.columns, self.is_masked());
        let mut part = self.begin_part("blacklist", &shape)?;
        let (mut rows, mut counts, mut after) = (RecordRows::default(), RowCounts::new(), 0);
        let mut sink = ShapedSink::new(&mut part.file, &shape);
        loop {
            let began = self.context.now();
            let filter = BlacklistFilter { scope, after, ..BlacklistFilter::default() };
            let page = self.context.wait(self.reader.blacklist_entries(filter, EXPORT_PAGE as u32))?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let held = page.len() as u64;
            for entry in page {
                let name = entry.campaign.map(|campaign| campaigns.get(&campaign));
                let is_seen = name.map_or(of_system, |name| name.is_some());
                let is_of_source = self.filters.source.as_ref().is_none_or(|source| *source == entry.source);
                if is_seen && is_of_source {
                    let word = if name.is_some() { "campaign" } else { "system" };
                    *counts.entry(word.to_owned()).or_default() += 1;
                    let name = name.flatten().map(String::as_str);
                    sink.row(&rows.blacklist(entry, name))?;
                }
            }
            self.pause(began, held)?;
            self.check_sheet(sink.rows())?;
        }
        part.rows = sink.rows();
        self.count(&part.name, "scope", counts);
        self.end_part(part)
    }

    /// The refused rows of a list with reason and hint, as its page offers them.
    pub(super) fn list_report(&mut self) -> Result<(), TaskEnd> {
        let parts = self.context.shared.parts.clone();
        let list = UploadId(self.filters.list.unwrap_or_default());
        let upload =
            self.context.wait(parts.store.upload(self.wish.enterprise, list))?.ok_or_else(|| gone("list"))?;
        let fix = upload.fix.ok_or_else(|| {
            TaskEnd::Failed(Words::new(
                "the list has no refused row: there is nothing to export",
                "名单没有被拒绝的行,无可导出",
            ))
        })?;
        let path = self.context.wait(parts.store.blob(fix))?.path;
        let format = self.format()?;
        let (form, extension) = match format {
            Format::Xlsx => (FixForm::Workbook, "xlsx"),
            _ => (FixForm::Csv, "csv"),
        };
        let lang = if self.wish.language == "zh" { Lang::Zh } else { Lang::En };
        let mut written = write_fix(&parts.files, &path, form, lang)?;
        let mut temporary = parts.files.create()?;
        self.copy(&mut written, &mut io::BufWriter::new(&mut temporary))?;
        self.rows = upload.refused;
        let (name, rows) = (format!("list_report.{extension}"), upload.refused);
        self.parts.push(Part { name, temporary, rows, columns: Vec::new() });
        Ok(())
    }
}
