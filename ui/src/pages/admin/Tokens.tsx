import "../../kit/form.css";
import "../../kit/table.css";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, get } from "../../api/call";
import type { Token } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Failed, Loading, NoneYet, problemWords } from "../../kit/States";
import { offerUndo } from "../../kit/undo";
import { serverNow } from "../../live/clock";
import { queries } from "../../session";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { hasWord, useWords, type Translate } from "../../words";
import { count, day, moment, visible } from "../../words/format";
import { etag } from "../people/data";
import { mayGiveToken } from "../people/people";
import { AddToken } from "./AddToken";

const TOKENS = ["tokens"];
export const refreshTokens = () => queries.invalidateQueries({ queryKey: TOKENS });

/** `/tokens`: what programs call the API with. The secrets are shown once, when they are made. */
export default function Tokens() {
  const t = useWords();
  const [search, set] = useSearch();
  const [removing, setRemoving] = useState<Token>();
  const { data: tokens, error, refetch } = useQuery({ queryKey: TOKENS, queryFn: async () => (await get("/api/v1/tokens")).tokens });
  useTitle(t("tokens.title"));
  const add = <Button kind="primary" onClick={() => set({ add: "1" })}>{t("tokens.add")}</Button>;
  return (
    <>
      <div className="page-head">
        <h1>{t("tokens.title")}</h1>
        <span className="hint" role="status">{tokens === undefined ? "" : t("common.total", { n: count(tokens.length) })}</span>
        <span className="space" />{add}
      </div>
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : tokens === undefined ? <Loading height={240} />
        : tokens.length === 0 ? <div className="card"><NoneYet>{t("tokens.none")}</NoneYet></div> : <TokenTable tokens={tokens} onRemove={setRemoving} />}
      {search.has("add") ? <AddToken /> : null}
      {removing === undefined ? null : <AskRemove token={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

/** Rights of a token in words; those of a newer service as they are. */
export function scopeWords(scopes: readonly string[] | null, t: Translate): string {
  if (scopes === null || scopes.length === 0) return t("tokens.allScopes");
  return scopes.map((it) => {
    const key = `right.${it}`;
    return hasWord(key) ? t(key) : it;
  }).join(", ");
}

function TokenTable({ tokens, onRemove }: { tokens: Token[]; onRemove: (token: Token) => void }) {
  const t = useWords();
  const { rights, person } = useMe();
  const now = new Date(serverNow());
  const mayRemove = (token: Token) => rights.has("tokens.edit") && mayGiveToken(person.role, token.role);
  return (
    <div className="table-box">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t("tokens.name")}</th><th scope="col">{t("tokens.role")}</th><th scope="col">{t("tokens.scopes")}</th><th scope="col">{t("tokens.createdAt")}</th>
            <th scope="col">{t("tokens.usedAt")}</th><th scope="col">{t("tokens.expiresAt")}</th><th scope="col">{t("groups.actions")}</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <td><strong>{visible(token.name)}</strong></td>
              <td>{t(`role.${token.role}`)}</td>
              <td className="wide" title={scopeWords(token.scopes, t)}>{scopeWords(token.scopes, t)}</td>
              <td title={token.created_at}>{day(new Date(token.created_at))} <span className="second">{token.made_by ?? ""}</span></td>
              <td title={token.used_at ?? ""}>{token.used_at === null ? <span className="second">{t("tokens.neverUsed")}</span> : moment(new Date(token.used_at), now)}</td>
              <td>{token.expires_at === null ? t("tokens.forEver") : token.expired ? <span className="second">{t("tokens.expired")} {day(new Date(token.expires_at))}</span> : day(new Date(token.expires_at))}</td>
              <td><Button kind="link" size="small" label={t("tokens.removeOne", { name: token.name })} refusal={mayRemove(token) ? undefined : t("people.adminsOnly")} onClick={() => onRemove(token)}>{t("tokens.remove")}</Button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AskRemove({ token, onClose }: { token: Token; onClose: () => void }) {
  const t = useWords();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const [refusal, setRefusal] = useState<string>();
  const remove = async () => {
    setBusy(true);
    try {
      await call("delete", "/api/v1/tokens/{id}", { path: { id: token.id }, etag: etag(token.version) });
      offerUndo(t("kit.removedNow", { name: visible(token.name) }));
      await refreshTokens();
      onClose();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      void refreshTokens();
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("tokens.removeOne", { name: visible(token.name) })} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" refusal={offline} busy={busy} onClick={() => void remove()}>{t("tokens.remove")}</Button></>}>
      <p>{t("tokens.askRemove")}</p>
      {token.used_at === null ? null : <p>{t("tokens.lastUse", { at: moment(new Date(token.used_at), new Date(serverNow())) })}</p>}
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
