import { useState } from "react";
import { useNavigate } from "react-router";
import type { ListDetail } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Glyph } from "../../kit/Glyph";
import { serverNow } from "../../live/clock";
import { useCampaign } from "../../live/stores";
import { campaignState } from "../../states";
import { useWords, type Translate } from "../../words";
import { count, moment, visible } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { actOnList, discardList, type ListAction } from "./data";
import { Step } from "./Step";
import { useSend } from "./use-send";

/** Step 5: submit, load, undo or discard, each with its number, and what the campaign does then. */
export function ConfirmStep({ list }: { list: ListDetail }) {
  const t = useWords();
  const navigate = useNavigate();
  const offline = useOfflineReason();
  const { run, busy, refusal, code } = useSend();
  const [asked, setAsked] = useState<ListAction>();
  const { decision } = list;
  const campaign = useCampaign(list.campaign);
  const isRunning = campaign !== undefined && campaignState(campaign) === "running";
  const name = visible(list.file_name);
  const nameOf = usePersonName(decision != null);
  const act = (action: ListAction) => {
    setAsked(undefined);
    run(async () => {
      if (action !== "discard") return actOnList(list, action);
      await discardList(list);
      await navigate(`/campaigns/${encodeURIComponent(list.campaign)}/lists`, { replace: true });
    });
  };
  const leads = count(list.found?.new_leads ?? list.leads);
  const numbers = count(list.found?.new_numbers ?? 0);
  const isBarred = list.found?.problem != null;
  const hasNothing = list.found != null && list.found.new_leads === 0 && list.found.new_numbers === 0;
  const barred = offline ?? (isBarred ? t("lists.barred") : hasNothing ? t("lists.nothingNew") : undefined);
  // The switch of the organisation may have changed since the list was read: the refusal counts.
  const mustSubmit = list.needs_approval && code !== "not_needed";
  return (
    <Step id="confirm" place={5} title={t("lists.stepConfirm")}>
      <p className="standing" role="status">{standing(list, mustSubmit, nameOf, t)}</p>
      {decision?.approved === false && list.state === "refused" ? <p className="finding alarm"><Glyph name="alarm" /> {t("lists.refusedNote", { number: decision.by === null ? "–" : nameOf(decision.by), note: visible(decision.note ?? "–") })}</p> : null}
      {list.state === "checked" && !isBarred && !hasNothing ? <p className="hint">{t(isRunning ? "lists.whileRunning" : "lists.whilePaused")}</p> : null}
      <div className="line-of">
        {list.may_load && mustSubmit ? <Button kind="primary" busy={busy} refusal={barred} onClick={() => act("submit")}>{t("lists.submit", { n: leads })}</Button> : null}
        {list.may_load && !mustSubmit ? (
          <Button kind="primary" busy={busy} refusal={barred} onClick={() => (isRunning ? setAsked("load") : act("load"))}>
            {list.found?.new_leads === 0 ? t("lists.loadNumbers", { n: numbers }) : t("lists.load", { n: leads })}
          </Button>
        ) : null}
        {list.may_undo ? <Button kind="danger" busy={busy} refusal={offline} onClick={() => setAsked("undo")}>{t("lists.undo", { n: leads })}</Button> : null}
        {list.is_editable ? <Button kind="plain" busy={busy} refusal={offline} onClick={() => setAsked("discard")}>{t("lists.discard")}</Button> : null}
        {refusal === undefined ? null : <span className="refusal" role="alert">{refusal}</span>}
      </div>
      {asked === undefined ? null : (
        <Dialog title={asked === "load" ? t("lists.load", { n: leads }) : asked === "undo" ? t("lists.undo", { n: leads }) : t("lists.discard")} onClose={() => setAsked(undefined)} buttons={(
          <>
            <Button onClick={() => setAsked(undefined)}>{t("common.cancel")}</Button>
            <Button kind={asked === "load" ? "primary" : "danger"} onClick={() => act(asked)}>{asked === "load" ? t("lists.load", { n: leads }) : asked === "undo" ? t("lists.undo", { n: leads }) : t("lists.discardNow")}</Button>
          </>
        )}>
          <p>{asked === "load" ? t("lists.loadAsk") : asked === "undo" ? t("lists.undoAsk", { name, n: leads }) : t("lists.discardAsk", { name })}</p>
        </Dialog>
      )}
    </Step>
  );
}

/** Where the list stands, and who moves next. */
function standing(list: ListDetail, mustSubmit: boolean, nameOf: (number: string) => string, t: Translate): string {
  const result = list.task?.result as { new_leads?: number; new_numbers?: number } | null | undefined;
  switch (list.state) {
    case "receiving":
    case "checking": return t("lists.standChecking");
    case "unreadable": return t("lists.standUnreadable");
    case "checked": {
      const { decision } = list;
      if (mustSubmit || !decision?.approved) return t(mustSubmit ? "lists.standSubmit" : "lists.standChecked");
      return t("lists.standApproved", { number: decision.by === null ? "–" : nameOf(decision.by), at: decision.at === null ? "" : moment(new Date(decision.at), new Date(serverNow())) });
    }
    case "waiting": return t("lists.standWaiting");
    case "refused": return t("lists.standRefused");
    case "loading": return t("lists.standLoading");
    case "loaded": return list.task?.kind === "undo_list" && (list.task.state === "queued" || list.task.state === "running") ? t("lists.standUndoing")
      : t("lists.standLoaded", { n: count(result?.new_leads ?? list.found?.new_leads ?? list.leads) });
    case "undone": return t("lists.standUndone");
    default: return t("lists.discarded");
  }
}
