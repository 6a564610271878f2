import "../../kit/form.css";
import { Link, useNavigate } from "react-router";
import { Button } from "../../kit/Button";
import { useWords } from "../../words";
import { StartSample } from "../campaigns/StartSample";

/** Step 2: the sample campaign, or on to the line. */
export function SampleStep({ onSkip }: { onSkip: () => void }) {
  const t = useWords();
  return (
    <div className="form">
      <p>{t("sample.help")}</p>
      <StartSample size="large" />
      <p className="pass-over"><Button kind="link" onClick={onSkip}>{t("sample.skip")}</Button></p>
    </div>
  );
}

const LINE = `[trunks.main]
uri = "sip:203.0.113.10:5060"
username = "100001"
calls_max = 30
calls_per_sec = 5.0`;

/** Step 3: where lines are set. */
export function LineStep({ onBack }: { onBack: () => void }) {
  const t = useWords();
  const navigate = useNavigate();
  return (
    <div className="form">
      <p>{t("sample.lineHelp")}</p>
      <pre className="file-text" tabIndex={0}>{LINE}</pre>
      <p>{t("sample.lineNext")}</p>
      <pre className="file-text" tabIndex={0}>paceline trunk test main 13800138000</pre>
      <p>{t("sample.lineMore")}</p>
      <div className="buttons">
        <Button kind="primary" size="large" onClick={() => void navigate("/")}>{t("sample.toToday")}</Button>
        <Button size="large" onClick={onBack}>{t("sample.back")}</Button>
        <Link className="button plain large" to="/health">{t("health.title")}</Link>
      </div>
    </div>
  );
}
