import { useState, type ReactNode } from "react";
import { Link } from "react-router";
import { call, post } from "../../api/call";
import type { Account } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { problemWords } from "../../kit/States";
import { offerUndo } from "../../kit/undo";
import { useSeat } from "../../live/stores";
import { etag, refreshPeople } from "../../pages/people/data";
import { mayGive, type Once } from "../../pages/people/people";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { useWords, type PlainKey } from "../../words";
import { visible } from "../../words/format";

type Kind = "phone" | "console" | "remove";

const TITLES: Record<Kind, PlainKey> = { phone: "people.newPhonePassword", console: "people.newPassword", remove: "people.remove" };

/** What a manager does with an account. Each asks once and says what follows. */
export function AccountActions({ account, onOnce }: { account: Account; onOnce: (once: Once) => void }) {
  const t = useWords();
  const { rights, person } = useMe();
  const [asked, setAsked] = useState<Kind>();
  if (!rights.has("people.edit")) return null;
  // The service takes changes of an administrator from administrators only, and nobody removes the own account.
  const refusal = mayGive(person.role, account.role) ? undefined : t("people.adminsOnly");
  const own = account.number === person.number ? t("people.notOneself") : undefined;
  return (
    <>
      {refusal === undefined ? <Link className="button" to={`/people/${account.number}/edit`}>{t("people.edit")}</Link> : <Button refusal={refusal}>{t("people.edit")}</Button>}
      <Button refusal={refusal} onClick={() => setAsked("phone")}>{t(account.phone_user === null ? "people.givePhone" : "people.newPhonePassword")}</Button>
      <Button refusal={refusal} onClick={() => setAsked("console")}>{t("people.newPassword")}</Button>
      <span className="space" />
      <Button refusal={refusal ?? own} onClick={() => setAsked("remove")}>{t("people.remove")}</Button>
      {asked === undefined ? null : <Ask kind={asked} account={account} onClose={() => setAsked(undefined)} onOnce={onOnce} />}
    </>
  );
}

function Ask({ kind, account, onClose, onOnce }: { kind: Kind; account: Account; onClose: () => void; onOnce: (once: Once) => void }) {
  const t = useWords();
  const [, set] = useSearch();
  const seat = useSeat(account.number);
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const [refusal, setRefusal] = useState<string>();
  const isAtWork = seat !== undefined && seat.availability !== "signed_out";
  const { number, name, login } = account;

  const act = async () => {
    setBusy(true);
    setRefusal(undefined);
    try {
      const path = { number };
      if (kind === "phone") onOnce({ number, name, login, sheet: (await post("/api/v1/agents/{number}/phone-password", { path })).sheet });
      else if (kind === "console") onOnce({ number, name, login, password: (await post("/api/v1/agents/{number}/password", { path, body: {} })).password ?? undefined });
      else {
        await call("delete", "/api/v1/agents/{number}", { path, etag: etag(account.version) });
        offerUndo(t("kit.removedNow", { name: `${number} ${visible(name)}` }));
        set({ agent: null });
      }
      void refreshPeople();
      onClose();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      // A row that somebody changed meanwhile is read again, so that the next try is about what stands there now.
      void refreshPeople();
      setBusy(false);
    }
  };
  const consequence: Record<Kind, ReactNode> = {
    phone: <p>{t(account.phone_user === null ? "people.askGivePhone" : "people.askPhone")}</p>,
    console: <p>{t("people.askConsole")}</p>,
    remove: <><p>{t("people.askRemove")}</p><p>{t("people.askRemoveStays")}</p></>,
  };
  return (
    <Dialog title={`${t(TITLES[kind])}: ${number} ${visible(name)}`} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind={kind === "remove" ? "danger" : "primary"} refusal={offline} busy={busy} onClick={() => void act()}>{kind === "remove" ? t("people.removeNow", { number }) : t("people.makeNow")}</Button></>}>
      {consequence[kind]}
      {isAtWork ? <p className="refusal">{t(kind === "console" ? "people.atWorkConsole" : kind === "phone" ? "people.atWorkPhone" : "people.atWorkRemove")}</p> : null}
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
