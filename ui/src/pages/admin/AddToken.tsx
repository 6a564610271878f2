import "../people/people.css";
import { useState, type FormEvent } from "react";
import { post } from "../../api/call";
import type { Schemas } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { CopyButton } from "../../kit/Copy";
import { Drawer } from "../../kit/Drawer";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { problemWords } from "../../kit/States";
import { RIGHTS, type Right } from "../../rights";
import { useMe } from "../../session";
import { mayGiveToken } from "../people/people";
import { useSearch } from "../../use-search";
import { useWords } from "../../words";
import { refreshTokens } from "./Tokens";

type TokenRole = NonNullable<Schemas["NewToken"]["role"]>;
const ROLES = ["analyst", "auditor", "manager", "admin"] as const;

/** A new token, then its secret: once, to be copied. */
export function AddToken() {
  const t = useWords();
  const { rights, person } = useMe();
  const [, set] = useSearch();
  const [name, setName] = useState("");
  const [role, setRole] = useState<TokenRole>("analyst");
  const [days, setDays] = useState("365");
  const [scopes, setScopes] = useState<ReadonlySet<Right>>(new Set());
  const [faults, setFaults] = useState<{ name?: string; days?: string }>({});
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const [token, setToken] = useState<string>();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const page = event.currentTarget;
    const found: typeof faults = {};
    const length = [...name.trim()].length;
    if (length === 0 || length > 64) found.name = t("people.fault_name");
    if (!/^\d{1,4}$/.test(days.trim()) || Number(days) > 3_650) found.days = t("tokens.faultDays");
    setFaults(found);
    setRefusal(undefined);
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => page.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setBusy(true);
    try {
      setToken((await post("/api/v1/tokens", { body: { name: name.trim(), role, days: Number(days), scopes: scopes.size === 0 ? null : [...scopes] } })).token);
      void refreshTokens();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
    } finally {
      setBusy(false);
    }
  };
  const toggle = (right: Right, isOn: boolean) => {
    const next = new Set(scopes);
    if (isOn) next.add(right);
    else next.delete(right);
    setScopes(next);
  };
  if (token !== undefined) {
    return (
      <Drawer parameter="add" title={name}>
        <p className="once" role="status">{t("tokens.once")}</p>
        <dl className="facts"><dt>{t("tokens.value")}</dt><dd><span className="secret" data-testid="token">{token}</span></dd></dl>
        <div className="filters"><CopyButton text={token}>{t("tokens.copy")}</CopyButton><Button size="small" onClick={() => set({ add: null })}>{t("tokens.done")}</Button></div>
      </Drawer>
    );
  }
  return (
    <Drawer parameter="add" title={t("tokens.add")}>
      <form className="form" noValidate onSubmit={(event) => void submit(event)}>
        <Field label={t("tokens.name")} value={name} onChange={setName} maxLength={64} autoComplete="off" fault={faults.name} help={t("tokens.nameHelp")} />
        <Select label={t("tokens.role")} value={role} onChange={setRole} options={ROLES.filter((it) => mayGiveToken(person.role, it)).map((it) => ({ value: it, label: t(`role.${it}`) }))} help={t("tokens.roleHelp")} />
        <Field label={t("tokens.days")} value={days} onChange={setDays} inputMode="numeric" autoComplete="off" maxLength={4} fault={faults.days} help={t("tokens.daysHelp")} />
        <details className="rare">
          <summary>{t("tokens.limit")}</summary>
          <div className="group-list">{RIGHTS.filter((it) => rights.has(it)).map((it) => <Check key={it} label={t(`right.${it}`)} isOn={scopes.has(it)} onChange={(isOn) => toggle(it, isOn)} />)}</div>
          <p className="hint">{t("tokens.scopesHelp")}</p>
        </details>
        {refusal === undefined ? null : <p className="summary-fault" role="alert">{refusal}</p>}
        <div className="buttons"><Button kind="primary" type="submit" refusal={offline} busy={busy}>{t("tokens.create")}</Button><Button kind="plain" onClick={() => set({ add: null })}>{t("common.cancel")}</Button></div>
      </form>
    </Drawer>
  );
}
