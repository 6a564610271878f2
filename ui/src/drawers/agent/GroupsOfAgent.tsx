import { useState } from "react";
import { call } from "../../api/call";
import type { Account } from "../../api/words";
import { Button } from "../../kit/Button";
import { Choice } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { offerSaved } from "../../kit/undo";
import { refreshPeople, useGroups } from "../../pages/people/data";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { visible } from "../../words/format";

type Change = { priority?: number; in_use?: boolean } | "leave";
type Membership = Account["groups"][number];

/** Memberships, changed one by one and at once; each change holds from the next call on. */
export function GroupsOfAgent({ account }: { account: Account }) {
  const t = useWords();
  const { rights } = useMe();
  const groups = useGroups().data ?? [];
  const [joining, setJoining] = useState("");
  const [busy, setBusy] = useState<string>();
  const [refusal, setRefusal] = useState<string>();
  const mayEdit = rights.has("groups.members");
  const others = groups.filter((it) => !account.groups.some((mine) => mine.group === it.name));

  const change = async (group: string, what: Change) => {
    setBusy(group);
    setRefusal(undefined);
    try {
      const path = { number: account.number, group };
      const send = async (to: Change) => {
        if (to === "leave") await call("delete", "/api/v1/agents/{number}/groups/{group}", { path });
        else await call("put", "/api/v1/agents/{number}/groups/{group}", { path, body: to });
        await refreshPeople();
      };
      const before = account.groups.find((it) => it.group === group);
      await send(what);
      offerSaved(t, () => send(before === undefined ? "leave" : { priority: before.priority, in_use: before.in_use }));
      if (group === joining) setJoining("");
    } catch (problem) {
      setRefusal(problemWords(problem, t));
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <section>
      <h3>{t("people.groups")}</h3>
      {account.groups.length === 0 ? <p className="hint">{t("people.inNoGroup")}</p> : (
        <table className="table member-table">
          <thead><tr><th scope="col">{t("people.group")}</th><th scope="col">{t("people.priority")}</th><th scope="col">{t("people.inUse")}</th>{mayEdit ? <th scope="col"><span className="visually-hidden">{t("people.leave")}</span></th> : null}</tr></thead>
          <tbody>
            {account.groups.map((it) => it.group === null ? null
              : <MembershipRow key={it.group} membership={it} group={it.group} mayEdit={mayEdit && groups.some((mine) => mine.name === it.group)} busy={busy === it.group} onChange={(what) => void change(it.group ?? "", what)} />)}
          </tbody>
        </table>
      )}
      {account.groups.length === 0 ? null : <p className="hint">{t("people.priorityHelp")}</p>}
      {mayEdit && others.length > 0 ? (
        <span className="action">
          <Choice label={t("people.join")} value={joining} onChange={setJoining} options={[{ value: "", label: t("people.chooseGroup") }, ...others.map((it) => ({ value: it.name, label: visible(it.name) }))]} />
          <Button size="small" busy={busy === joining && joining !== ""} refusal={joining === "" ? t("people.chooseGroup") : undefined} onClick={() => void change(joining, { priority: 1, in_use: true })}>{t("people.join")}</Button>
        </span>
      ) : null}
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </section>
  );
}

function MembershipRow({ membership, group, mayEdit, busy, onChange }: { membership: Membership; group: string; mayEdit: boolean; busy: boolean; onChange: (what: Change) => void }) {
  const t = useWords();
  const [typed, setTyped] = useState<string>();
  const name = visible(group);
  // A number is taken when the field is left or Enter is pressed, not with each digit.
  const take = () => {
    if (typed === undefined) return;
    const priority = Math.round(Number(typed));
    setTyped(undefined);
    if (typed.trim() !== "" && priority >= 0 && priority <= 255 && priority !== membership.priority) onChange({ priority });
  };
  if (!mayEdit) return <tr><td>{name}</td><td>{membership.priority}</td><td>{t(membership.in_use ? "people.yes" : "people.no")}</td></tr>;
  return (
    <tr className={busy ? "stale" : undefined}>
      <td>{name}</td>
      <td><input type="number" min={0} max={255} aria-label={t("people.priorityIn", { group: name })} value={typed ?? membership.priority} onChange={(event) => setTyped(event.target.value)} onBlur={take}
        onKeyDown={(event) => { if (event.key === "Enter" && !event.nativeEvent.isComposing) take(); }} /></td>
      <td><label className="box"><input type="checkbox" checked={membership.in_use} aria-label={t("people.inUseIn", { group: name })} onChange={(event) => onChange({ in_use: event.target.checked })} /></label></td>
      <td className="number"><Button kind="link" size="small" busy={busy} label={t("people.leaveGroup", { group: name })} onClick={() => onChange("leave")}>{t("people.leave")}</Button></td>
    </tr>
  );
}
