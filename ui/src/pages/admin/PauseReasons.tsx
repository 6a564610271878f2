import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, get } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { LeaveAsk } from "../../kit/LeaveAsk";
import { offerSaved } from "../../kit/undo";
import { Failed, Loading, problemWords } from "../../kit/States";
import type { Schemas } from "../../api/words";
import { queries } from "../../session";
import { useWords, type PlainKey } from "../../words";
import { etag } from "../people/data";
import { reasonFaults, reasonForm, REASONS_MAX, reasonsRequest, type ReasonForm } from "./organisation";

const KEY = ["pause-reasons"];
const COLUMNS: readonly { name: keyof ReasonForm; word: PlainKey; width: number }[] = [
  { name: "zh", word: "organisation.label_zh", width: 64 }, { name: "en", word: "organisation.label_en", width: 64 }, { name: "code", word: "organisation.code", width: 32 }, { name: "minutes", word: "organisation.minutes", width: 7 },
];

async function put(reasons: readonly ReasonForm[], version: number): Promise<Schemas["PauseReasonsView"]> {
  const saved = await call("put", "/api/v1/pause-reasons", { body: reasonsRequest(reasons), etag: etag(version) });
  queries.setQueryData(KEY, saved);
  return saved;
}

/** The reasons among which agents choose when they pause, in their order. */
export function PauseReasons() {
  const t = useWords();
  const { data, error, refetch } = useQuery({ queryKey: KEY, queryFn: ({ signal }) => get("/api/v1/pause-reasons", { signal }) });
  return (
    <section className="card" aria-labelledby="pause-reasons">
      <header><h2 id="pause-reasons">{t("organisation.pauseReasons")}</h2>{data?.own === false ? <span className="hint">{t("organisation.builtIn")}</span> : null}</header>
      <div className="body">{data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={200} />) : <Editor key={data.version} saved={data} />}</div>
    </section>
  );
}

function Editor({ saved }: { saved: Schemas["PauseReasonsView"] }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [rows, setRows] = useState(() => saved.items.map(reasonForm));
  const [busy, setBusy] = useState(false);
  const [areFaultsShown, setFaultsShown] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const faults = reasonFaults(rows);
  const changes = JSON.stringify(rows) === JSON.stringify(saved.items.map(reasonForm)) ? 0 : 1;
  const set = (n: number, name: keyof ReasonForm, value: string) => setRows(rows.map((row, m) => (m === n ? { ...row, [name]: value } : row)));
  const move = (n: number, by: number) => setRows((now) => {
    const next = [...now];
    const [row] = next.splice(n, 1);
    if (row) next.splice(n + by, 0, row);
    return next;
  });
  const save = async (wanted: readonly ReasonForm[]) => {
    setFaultsShown(true);
    if (busy || reasonFaults(wanted).some((it) => it !== undefined)) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const before = saved.own ? saved.items.map(reasonForm) : [];
      const { version } = await put(wanted, saved.version);
      offerSaved(t, () => put(before, version));
    } catch (refused) {
      setProblem(refused);
    }
    setBusy(false);
  };
  return (
    <div className="form wide-form">
      <div className="scroll">
        <table className="table">
          <thead><tr>{COLUMNS.map((it) => <th key={it.name} scope="col">{t(it.word)}</th>)}<th scope="col">{t("groups.actions")}</th></tr></thead>
          <tbody>
            {rows.map((row, n) => (
              <tr key={n}>
                {COLUMNS.map((it) => <td key={it.name}><input className="control" aria-label={`${t(it.word)} ${n + 1}`} aria-invalid={(areFaultsShown && faults[n] !== undefined && isAbout(faults[n], it.name)) || undefined} value={row[it.name]} maxLength={it.width} onChange={(event) => set(n, it.name, event.target.value)} /></td>)}
                <td>
                  <Button kind="plain" size="small" label={t("organisation.up", { n: n + 1 })} refusal={n === 0 ? t("kit.noMore") : undefined} onClick={() => move(n, -1)}>↑</Button>
                  <Button kind="plain" size="small" label={t("organisation.down", { n: n + 1 })} refusal={n === rows.length - 1 ? t("kit.noMore") : undefined} onClick={() => move(n, 1)}>↓</Button>
                  <Button kind="plain" size="small" label={t("organisation.remove", { n: n + 1 })} onClick={() => setRows(rows.filter((_, m) => m !== n))}>✕</Button>
                  {areFaultsShown && faults[n] !== undefined ? <span className="refusal" role="alert"> {t(`organisation.fault_${faults[n]}`)}</span> : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="buttons">
        <Button refusal={rows.length >= REASONS_MAX ? t("organisation.tooMany", { max: REASONS_MAX }) : undefined} onClick={() => setRows([...rows, { code: "", zh: "", en: "", minutes: "" }])}>{t("organisation.addReason")}</Button>
        <Button kind="primary" busy={busy} refusal={offline ?? (changes === 0 ? t("kit.noChanges") : undefined)} onClick={() => void save(rows)}>{t("kit.save")}</Button>
        {saved.own ? <Button kind="link" refusal={offline} onClick={() => void save([])}>{t("organisation.toBuiltIn")}</Button> : null}
        {problem === undefined ? null : <span className="refusal" role="alert">{problemWords(problem, t)}</span>}
      </div>
      <LeaveAsk changes={changes} />
    </div>
  );
}

/** Whether a fault of a row is about this column. */
function isAbout(fault: string | undefined, column: keyof ReasonForm): boolean {
  if (fault === "label") return column === "zh" || column === "en";
  return column === (fault === "minutes" ? "minutes" : "code");
}
