import { useRef, useState } from "react";
import { Link } from "react-router";
import { fetchFolder } from "../../../api/campaign-folder";
import type { CampaignText } from "../../../api/campaign-rows";
import { useOfflineReason } from "../../../frame/LiveState";
import { Button } from "../../../kit/Button";
import { copyText } from "../../../kit/Copy";
import { Menu } from "../../../kit/Menu";
import { problemWords } from "../../../kit/States";
import { serverNow } from "../../../live/clock";
import { useMe } from "../../../session";
import { useDrawerLink } from "../../../use-search";
import { useWords } from "../../../words";
import { moment } from "../../../words/format";
import { usePersonName } from "../../audio/person-name";
import { Confirm } from "../CampaignActions";
import { changesOf } from "./draft";
import type { SettingsDraft } from "./use-draft";

/** A campaign's text is smaller than this, in bytes. */
const FILE_MAX = 256 * 1024;

interface Props {
  campaign: CampaignText;
  it: SettingsDraft;
  isText: boolean;
  mayEdit: boolean;
  onApply: (note: string) => Promise<void>;
  onReplace: (text: string) => void;
}

/** The head of the settings: which view, which version, what is not applied, and the buttons. */
export function SettingsBar({ campaign, it, isText, mayEdit, onApply, onReplace }: Props) {
  const t = useWords();
  const link = useDrawerLink();
  const person = usePersonName();
  const changes = it.draft === undefined ? 0 : changesOf(it.draft);
  return (
    <div className="settings-bar">
      <nav className="segments" aria-label={t("settings.views")}>
        <Link to={link({ view: null })} replace aria-current={isText ? undefined : "page"}>{t("settings.form")}</Link>
        <Link to={link({ view: "toml" })} replace aria-current={isText ? "page" : undefined}>{t("settings.toml")}</Link>
      </nav>
      <span className="hint">{t("settings.version", { n: campaign.version, who: campaign.changed_by === null ? t("settings.nobody") : person(campaign.changed_by), at: moment(new Date(campaign.changed_at), new Date(serverNow())) })}</span>
      <TextMenu name={campaign.name} text={it.text} onReplace={mayEdit ? onReplace : undefined} />
      <span className="space" />
      {mayEdit ? <Apply key={it.draft?.base.etag ?? "none"} it={it} changes={changes} onApply={onApply} /> : null}
    </div>
  );
}

function Apply({ it, changes, onApply }: { it: SettingsDraft; changes: number; onApply: (note: string) => Promise<void> }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const faults = it.trial?.problems.filter((problem) => problem.level === "error").length ?? 0;
  const refusal = offline ?? (it.draft === undefined ? t("settings.nothing") : it.isChecking ? t("settings.checking") : faults > 0 ? t("settings.hasFaults", { n: faults }) : undefined);
  const apply = () => {
    setBusy(true);
    void onApply(note).finally(() => setBusy(false));
  };
  return (
    <>
      <span role="status" className={it.draft === undefined ? "hint" : "unsaved"}>{it.draft === undefined ? "" : t("settings.unsaved", { n: changes })}</span>
      {it.draft === undefined ? null : <span className="hint">{it.isChecking ? t("settings.checking") : faults > 0 ? t("settings.faults", { n: faults }) : it.trial === undefined ? "" : t("settings.checked")}</span>}
      {it.draft === undefined ? null : <input className="control note" type="text" aria-label={t("settings.note")} placeholder={t("settings.noteHint")} value={note} maxLength={200} onChange={(event) => setNote(event.target.value)} />}
      {it.draft === undefined ? null : <Button onClick={() => setAsked(true)}>{t("settings.discard")}</Button>}
      <Button kind="primary" busy={busy} refusal={refusal} onClick={apply}>{t("settings.apply")}</Button>
      {isAsked ? <Confirm title={t("settings.discard")} sentence={t("settings.discardAsk", { n: changes, version: it.draft?.base.version ?? 0 })} yes={t("settings.discard")} isDanger onYes={it.drop} onClose={() => setAsked(false)} /> : null}
    </>
  );
}

/** Gives the browser a file to save. */
function saveAs(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** Copy, download and replace the file; download the whole folder. */
function TextMenu({ name, text, onReplace }: { name: string; text: string; onReplace: ((text: string) => void) | undefined }) {
  const t = useWords();
  const { rights } = useMe();
  const file = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState("");
  const download = () => saveAs(new Blob([text], { type: "application/toml" }), `${name}.toml`);
  const downloadFolder = async () => {
    setSaid(t("settings.packing"));
    try {
      saveAs(await fetchFolder(name), `${name}.zip`);
      setSaid(rights.has("numbers.read") ? "" : t("settings.folderWithoutLists"));
    } catch (problem) {
      setSaid(problemWords(problem, t));
    }
  };
  const replace = async (chosen: File) => {
    if (chosen.size > FILE_MAX) return setSaid(t("settings.uploadTooLarge", { size: Math.ceil(chosen.size / 1024), max: FILE_MAX / 1024 }));
    setSaid("");
    onReplace?.((await chosen.text()).replace(/^\ufeff/, ""));
  };
  return (
    <span className="action">
      <Menu size="small" align="start" entries={[
        { id: "copy", label: t("settings.copy"), onChoose: () => void copyText(text).then(() => setSaid(t("kit.copied")), () => setSaid(t("kit.notCopied"))) },
        { id: "download", label: t("settings.download"), onChoose: download },
        { id: "folder", label: t("settings.downloadFolder"), onChoose: () => void downloadFolder() },
        ...(onReplace === undefined ? [] : [{ id: "upload", label: t("settings.upload"), onChoose: () => file.current?.click() }]),
      ]}>{t("settings.more")} <span aria-hidden="true">▾</span></Menu>
      <input ref={file} type="file" accept=".toml,text/plain" hidden aria-label={t("settings.upload")} onChange={(event) => {
        const [chosen] = event.target.files ?? [];
        event.target.value = "";
        if (chosen) void replace(chosen);
      }} />
      <span role="status" className="sent">{said}</span>
    </span>
  );
}
