import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useNavigate } from "react-router";
import { get } from "../../api/call";
import { Failed, Loading } from "../../kit/States";
import { useSession } from "../../session";
import { useSearch } from "../../use-search";
import { useWords, type PlainKey } from "../../words";
import { EntryBox } from "./EntryBox";
import { FirstAccount } from "./FirstAccount";
import { LineStep, SampleStep } from "./NextSteps";

/** The steps of the first start, in their order. */
const STEPS = ["account", "sample", "line"] as const;
type Step = (typeof STEPS)[number];
const WORDS: Record<Step, PlainKey> = { account: "sample.stepAccount", sample: "sample.stepTry", line: "sample.stepLine" };
const TITLES: Record<Step, PlainKey> = { account: "entry.welcome", sample: "sample.title", line: "sample.lineTitle" };

/** `/welcome#CODE`: the first account; then, at `?step=`, the sample campaign and where lines are set. */
export default function Welcome() {
  const t = useWords();
  const navigate = useNavigate();
  const [search, set] = useSearch();
  const wanted = search.get("step");
  const step: Step = wanted === "sample" || wanted === "line" ? wanted : "account";
  const { data, error, refetch } = useQuery({ queryKey: ["setup"], queryFn: ({ signal }) => get("/api/v1/setup", { signal }) });
  const { data: me, error: sessionError, refetch: askAgain } = useSession();
  const mayStart = me?.rights.has("campaigns.edit") === true;
  useEffect(() => {
    document.title = `${t(TITLES[step])} · Paceline`;
    if (step === "account" && data && !data.needs_account && !me) void navigate("/sign-in", { replace: true });
    // Signed in, the steps are for those who may edit campaigns.
    else if (step === "account" && data && !data.needs_account) void navigate("/", { replace: true });
    else if (step !== "account" && me === null) void navigate(`/sign-in?next=${encodeURIComponent(`/welcome?step=${step}`)}`, { replace: true });
    else if (step !== "account" && me && !mayStart) void navigate("/", { replace: true });
  }, [data, mayStart, me, navigate, step, t]);
  const failed = step === "account" ? error : sessionError;
  return (
    <EntryBox wide>
      <ol className="steps" aria-label={t("sample.steps")}>
        {STEPS.map((it, at) => <li key={it} aria-current={it === step ? "step" : undefined}><span className="place" aria-hidden="true">{at + 1}</span> {t(WORDS[it])}</li>)}
      </ol>
      <h1>{t(TITLES[step])}</h1>
      {failed ? <Failed problem={failed} onRetry={() => void (step === "account" ? refetch() : askAgain())} />
        : step === "account" ? (data?.needs_account ? <FirstAccount onMade={() => set({ step: "sample" })} /> : <Loading height={260} />)
        : !mayStart ? <Loading height={160} />
        : step === "sample" ? <SampleStep onSkip={() => set({ step: "line" })} /> : <LineStep onBack={() => set({ step: "sample" })} />}
    </EntryBox>
  );
}
