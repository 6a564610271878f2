import { useState } from "react";
import { ApiProblem } from "../../api/call";
import type { Seat } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Check, Radios } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { liveSeat } from "../../live/stores";
import { useMe } from "../../session";
import { useAction } from "../../use-action";
import { hasWord, useWords } from "../../words";
import { telephone, visible } from "../../words/format";
import { narrow } from "../../words/width";
import { act, type AgentAction } from "./act";
import { useWorkplaces } from "./data";

type WorkMode = "both" | "outbound" | "inbound";

/** Signing in to work: groups, phone, whether its line stays up, which calls. A refusal says what cures it. */
export function SignInPanel({ seat }: { seat: Seat | undefined }) {
  const t = useWords();
  const { person } = useMe();
  const offline = useOfflineReason();
  const { data: workplaces } = useWorkplaces();
  const own = person.groups.filter((it) => it.group !== null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [kind, setKind] = useState<"phone" | "telephone">(person.phone_user === null ? "telephone" : "phone");
  const [number, setNumber] = useState(person.telephone ?? "");
  const [holding, setHolding] = useState<"nailed_up" | "per_call">("nailed_up");
  const [mode, setMode] = useState<WorkMode>("both");
  const [problem, setProblem] = useState<unknown>();
  const groups = own.filter((it) => it.in_use && !left.has(it.group ?? "")).map((it) => it.group);
  const signIn = useAction(async () => {
    setProblem(undefined);
    const given = narrow(number).trim();
    const endpoint = kind === "phone" ? "phone" : given === "" || given === person.telephone ? "telephone" : { telephone: given };
    try {
      await act({ action: "sign_in", groups, endpoint, holding, work_mode: mode } as AgentAction);
    } catch (refused) {
      setProblem(refused);
    }
  }, () => { const now = liveSeat(person.number); return problem !== undefined || (now !== undefined && now.availability !== "signed_out"); });
  const phones = [
    ...(person.phone_user === null ? [] : [{ value: "phone" as const, label: t("endpoint.phone") }]),
    { value: "telephone" as const, label: t("endpoint.telephone") },
  ];
  const registered = seat?.phone;
  return (
    <section className="card sign-in">
      <header><h1>{t("desk.signInTitle")}</h1></header>
      <form className="body form" onSubmit={(event) => { event.preventDefault(); signIn.run(); }}>
        <fieldset className="plain">
          <legend>{t("desk.groups")}</legend>
          {own.length === 0 ? <p className="hint">{t("desk.noGroups")}</p> : null}
          {own.map((it) => it.in_use
            ? <Check key={it.group} label={it.group ?? ""} isOn={!left.has(it.group ?? "")} onChange={(isOn) => { const next = new Set(left); if (isOn) next.delete(it.group ?? ""); else next.add(it.group ?? ""); setLeft(next); }} />
            : <p key={it.group} className="hint">{t("desk.groupNotInUse", { group: it.group ?? "" })}</p>)}
        </fieldset>
        <Radios legend={t("desk.endpoint")} value={kind} options={phones} onChange={setKind} />
        {kind === "phone"
          ? <p className={registered ? "hint ok" : "hint warn"}>{registered ? t("desk.phoneRegistered", { product: visible(registered.product) }) : t("desk.phoneNotRegistered", { user: person.phone_user ?? "" })}</p>
          : <Field label={t("desk.telephone")} type="tel" value={number} onChange={setNumber} autoComplete="off" maxLength={20} help={person.telephone === null ? t("desk.telephoneHelp") : t("desk.telephoneOwn", { number: telephone(person.telephone) })} />}
        <Radios legend={t("desk.holding")} value={holding} options={[{ value: "nailed_up", label: t("desk.nailedUp") }, { value: "per_call", label: t("desk.perCall") }]} onChange={setHolding} />
        <Radios legend={t("desk.workMode")} value={mode} options={[{ value: "both", label: t("desk.modeBoth") }, { value: "outbound", label: t("desk.modeOut") }, { value: "inbound", label: t("desk.modeIn") }]} onChange={setMode} />
        {problem === undefined ? null : <Cure problem={problem} />}
        <div className="buttons">
          <Button type="submit" kind="primary" size="large" busy={signIn.busy} refusal={offline ?? (groups.length === 0 ? t("desk.chooseGroup") : undefined)}>{t("desk.signIn")}</Button>
          {signIn.sent ? <span className="sent">{t("common.sent")}</span> : null}
        </div>
        <p className="hint">{(workplaces?.length ?? 0) === 0 ? t("desk.noCampaignOpen") : t("desk.campaignsOpen", { names: (workplaces ?? []).map((it) => visible(it.title || it.name)).join(", ") })}</p>
      </form>
    </section>
  );
}

/** The sentence of a refusal, and what to do about it. */
function Cure({ problem }: { problem: unknown }) {
  const t = useWords();
  const code = problem instanceof ApiProblem ? problem.code : "";
  const usedBy = problem instanceof ApiProblem ? problem.problem?.used_by : undefined;
  const key = `desk.cure.${code}`;
  return (
    <div className="summary-fault" role="alert">
      <p>{usedBy ? t("desk.phoneTakenBy", { name: visible(usedBy) }) : problemWords(problem, t)}</p>
      {hasWord(key) ? <p className="hint">{t(key)}</p> : null}
    </div>
  );
}
