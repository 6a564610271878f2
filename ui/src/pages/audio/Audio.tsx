import "../../kit/table.css";
import "./audio.css";
import { useState } from "react";
import { Link } from "react-router";
import type { Sound } from "../../api/words";
import { Button } from "../../kit/Button";
import { Glyph } from "../../kit/Glyph";
import { More } from "../../kit/More";
import { useListOf } from "../../kit/neighbours";
import { Pill } from "../../kit/Pill";
import { Failed, Loading, NoneYet } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { SOUND_STATES } from "../../states";
import { useDrawerLink, useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { useLanguage, useWords } from "../../words";
import { count, duration, moment, visible } from "../../words/format";
import { useDecisions } from "../approvals/data";
import { AddSound } from "./AddSound";
import { useSoundEvents, useSounds, useTask } from "./data";
import { useCampaignTitles } from "../campaigns/titles";
import { usePersonName } from "./person-name";
import { SoundDrawer } from "./SoundDrawer";
import { decibels, seconds } from "./SoundFacts";

/** `/audio`: sounds of announcements with what was measured; a row opens the player. */
export default function Audio() {
  const t = useWords();
  const { rights } = useMe();
  const [search, set] = useSearch();
  const [retired, setRetired] = useState<string>();
  useTitle(t("audio.title"));
  useSoundEvents();
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useSounds();
  const sounds = data?.pages.flatMap((page) => page.items) ?? [];
  useListOf("sound", sounds.map((it) => String(it.id)));
  const add = rights.has("audio.edit") ? <Button kind="primary" onClick={() => set({ add: "1", sound: null })}>{t("audio.add")}</Button> : null;
  const open = Number(search.get("sound") ?? "");
  return (
    <>
      <div className="page-head">
        <h1>{t("audio.title")}</h1>
        <span className="hint" role="status">{data === undefined || sounds.length === 0 ? "" : t(hasNextPage ? "audio.shownOfMore" : "common.total", { n: count(sounds.length) })}</span>
        <span className="space" />
        {sounds.length === 0 ? null : add}
      </div>
      {retired === undefined ? null : <p className="decided" role="status">{retired}</p>}
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : data === undefined ? <Loading height={300} />
        : sounds.length === 0 ? <div className="card"><NoneYet act={add}>{t("audio.none")}<br />{t("audio.noneApproval")}</NoneYet></div>
        : (
          <div className="table-box">
            <SoundTable sounds={sounds} />
            {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
          </div>
        )}
      {search.has("add") && rights.has("audio.edit") ? <AddSound onAdded={(id) => set({ add: null, sound: String(id) })} /> : null}
      {Number.isInteger(open) && open > 0 ? <SoundDrawer key={open} id={open} onRetired={(name) => { set({ sound: null }); setRetired(t("audio.retired", { name: visible(name) })); }} /> : null}
    </>
  );
}

function SoundTable({ sounds }: { sounds: Sound[] }) {
  const t = useWords();
  const { rights } = useMe();
  const decisions = useDecisions(rights.has("approvals.decide"));
  const titleOf = useCampaignTitles(sounds.flatMap((it) => it.used_by));
  const heads = ["name", "usedBy", "length", "level", "clipped", "silence", "state", "uploaded", "checked"] as const;
  const isNumber = (name: string) => name === "length" || name === "level" || name === "clipped" || name === "silence";
  return (
    <table className="table sounds">
      <thead><tr>{heads.map((it) => <th key={it} scope="col" className={isNumber(it) ? "number" : undefined}>{t(`audio.${it}`)}</th>)}</tr></thead>
      <tbody>{sounds.map((it) => <SoundRow key={it.id} sound={it} titleOf={titleOf} decidedBy={decisions.get(`audio:${it.id}`)?.decided_by ?? null} />)}</tbody>
    </table>
  );
}

function SoundRow({ sound, titleOf, decidedBy }: { sound: Sound; titleOf: (campaign: string) => string; decidedBy: string | null }) {
  const t = useWords();
  const language = useLanguage();
  const link = useDrawerLink();
  const nameOf = usePersonName();
  const { measured } = sound;
  const users = sound.used_by.map(titleOf).join(", ");
  const made = new Date(sound.made_at);
  const warned = sound.warnings.length === 0 ? null
    : <span className="waiting-ink" title={sound.warnings.map((it) => it[language]).join("\n")}><Glyph name="warning" /> {t("audio.warned", { n: sound.warnings.length })}</span>;
  return (
    <tr>
      <td className="clip"><Link className="row" to={link({ sound: String(sound.id), add: null })} title={visible(sound.name)}>{visible(sound.name)}</Link></td>
      <td className="clip second" title={users}>{sound.used_by.length === 0 ? t("audio.unused") : users}</td>
      <td className="number">{measured === null ? t("common.none") : duration(Math.round(measured.millis / 1000))}</td>
      <td className="number">{measured === null ? t("common.none") : decibels(measured.level_db, 0)}</td>
      <td className="number">{measured === null ? t("common.none") : count(measured.clipped)}</td>
      <td className="number">{measured === null ? t("common.none") : t("audio.silenceOf", { head: seconds(measured.silence_head_ms), tail: seconds(measured.silence_tail_ms) })}</td>
      <td>{sound.state === "measuring" ? <Measuring sound={sound} /> : <Pill state={SOUND_STATES[sound.state]} />} {warned}</td>
      <td><time dateTime={sound.made_at} title={sound.made_at}>{nameOf(sound.made_by)} <span className="second">{moment(made, new Date(serverNow()))}</span></time></td>
      <td>{nameOf(decidedBy)}</td>
    </tr>
  );
}

/** The task that measures, in its own words. */
function Measuring({ sound }: { sound: Sound }) {
  const language = useLanguage();
  const { data: task } = useTask(sound.task);
  return <><Pill state={SOUND_STATES.measuring} />{task === undefined ? null : <span className="second"> {task.words[language]}</span>}</>;
}
