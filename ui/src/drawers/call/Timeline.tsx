import type { ReactNode } from "react";
import type { Schemas } from "../../api/words";
import { useCampaignWords } from "../../pages/campaigns/titles";
import { talked } from "../../pages/results/filters";
import { hasWord, useLanguage, useWords } from "../../words";
import { day, duration, visible } from "../../words/format";
import type { CallDetail } from "./call-data";
import { clockMs } from "./clock-ms";

type Moment = Schemas["CallMoment"];

/** The moments of the call, each with the time since the one before. */
export function Timeline({ call }: { call: CallDetail }) {
  const t = useWords();
  const talk = talked(call);
  return (
    <>
      <p className="hint">{day(new Date(call.at))}{talk === undefined ? null : <> · {t("results.talked", { time: duration(talk) })}</>}</p>
      <ol className="path">
        {call.timeline.map((it, n) => {
          const at = new Date(it.at);
          const before = call.timeline[n - 1];
          return (
            <li key={n}>
              <time dateTime={it.at} title={it.at}>{clockMs(at)}</time>
              <span className="second">{before === undefined ? "" : t("results.later", { n: ((at.getTime() - Date.parse(before.at)) / 1000).toFixed(1) })}</span>
              <span><MomentWords call={call} moment={it} /></span>
            </li>
          );
        })}
      </ol>
    </>
  );
}

function MomentWords({ call, moment }: { call: CallDetail; moment: Moment }): ReactNode {
  const t = useWords();
  const language = useLanguage();
  const words = useCampaignWords([call.campaign]);
  const agent = moment.agent === null ? "" : `${moment.agent} ${visible(moment.agent_name ?? "")}`.trim();
  switch (moment.kind) {
    case "left": return t("call.moment_left", { trunk: visible(moment.detail ?? "") });
    case "connected": return agent === "" ? t("results.connected") : t("results.connectedTo", { agent });
    case "key": return t("call.moment_key", { key: visible(moment.detail ?? "") });
    case "ended": {
      const by = `results.by_${moment.detail ?? ""}`;
      return <>{hasWord(by) ? t(by) : t("results.ended")}{call.cause === "" ? null : <span className="hint"> {visible(call.cause_words[language])}</span>}</>;
    }
    case "summary": return t("call.moment_summary", { agent, disposition: moment.detail === null ? "" : words.disposition(call.campaign, moment.detail) });
    case "arrived": return t("results.arrived");
    case "answered": return t("results.answered");
    case "ringing": return t("call.moment_ringing");
    case "written": return t("call.moment_written");
  }
}
