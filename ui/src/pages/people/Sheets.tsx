import "./people.css";
import "../../kit/form.css";
import "../../kit/table.css";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { useBlocker } from "react-router";
import { encode } from "uqr";
import { Button } from "../../kit/Button";
import { CopyButton } from "../../kit/Copy";
import { Dialog } from "../../kit/Dialog";
import { useWords, type Translate } from "../../words";
import { visible } from "../../words/format";
import { grouped, phoneCode, type Once, type Sheet } from "./people";

/** Sheets on one sheet of A4. */
const ON_A4 = 4;

/** Passwords are shown once: leaving asks until they were printed or copied, or somebody says that they are kept. */
export function Sheets({ items, buttons }: { items: Once[]; buttons?: ReactNode }) {
  const t = useWords();
  const [isKept, setKept] = useState(false);
  useLeavingAsks(!isKept);
  const print = () => {
    setKept(true);
    window.print();
  };
  return (
    <div className="sheets-page">
      <p className="once" role="status">{t("people.once")}</p>
      <div className="filters">
        <Button kind="primary" onClick={print}>{t("people.print", { n: items.length })}</Button>
        {items.length > 1 ? <CopyButton text={items.map((it) => asText(it, t)).join("\n\n")} onCopied={() => setKept(true)}>{t("people.copyAll")}</CopyButton> : null}
        <span className="space" />
        {buttons}
      </div>
      <div className="sheets-screen">{items.map((it) => <SheetCard key={it.number} once={it} copy={() => setKept(true)} />)}</div>
      {createPortal(<PrintedSheets items={items} />, document.body)}
      <AskBeforeLeaving isOn={!isKept} />
    </div>
  );
}

function PrintedSheets({ items }: { items: Once[] }) {
  const pages = Array.from({ length: Math.ceil(items.length / ON_A4) }, (_, n) => items.slice(n * ON_A4, (n + 1) * ON_A4));
  return (
    <div className="print-only print-sheets" aria-hidden="true">
      {pages.map((page, n) => <div key={n} className="a4">{page.map((it) => <SheetCard key={it.number} once={it} />)}</div>)}
    </div>
  );
}

/** One person's sheet. `copy` = on the screen, with its buttons. */
function SheetCard({ once, copy }: { once: Once; copy?: (() => void) | undefined }) {
  const t = useWords();
  const { sheet, password } = once;
  return (
    <article className="sheet" aria-label={`${once.number} ${once.name}`}>
      <h3><span className="mono">{once.number}</span> {visible(once.name)}</h3>
      {sheet === undefined ? null : (
        <>
          <div className="block">
            <h4>{t("people.sheetPhone")}</h4>
            <dl className="facts">
              <dt>{t("people.sheetUser")}</dt><dd className="mono">{sheet.user}</dd>
              <dt>{t("people.sheetPassword")}</dt><dd><Secret text={sheet.password} /></dd>
              <dt>{t("people.sheetDomain")}</dt><dd className="mono">{sheet.domain}</dd>
              <dt>{t("people.sheetProxy")}</dt><dd className="mono">{sheet.proxy}</dd>
              <dt>{t("people.sheetTransport")}</dt><dd className="mono">{sheet.transport.toUpperCase()}</dd>
            </dl>
          </div>
          <div className="code"><QrCode once={once} sheet={sheet} /><span className="hint">{t("people.sheetScan")}</span></div>
        </>
      )}
      {password === undefined ? null : (
        <div className="block whole">
          <h4>{t("people.sheetConsole")}</h4>
          <dl className="facts">
            <dt>{t("people.sheetAddress")}</dt><dd className="mono">{window.location.origin}</dd>
            <dt>{t("people.login")}</dt><dd className="mono">{once.login}</dd>
            <dt>{t("people.sheetPassword")}</dt><dd><Secret text={password} /></dd>
          </dl>
        </div>
      )}
      <p className="foot hint">{t("people.sheetCase")}{copy === undefined ? null : <CopyButton text={asText(once, t)} onCopied={copy}>{t("people.copy")}</CopyButton>}</p>
    </article>
  );
}

/** A password in groups of four. The gaps are drawn, so that a copy has none. */
function Secret({ text }: { text: string }) {
  return <span className="secret quads">{grouped(text).map((part, n) => <span key={n}>{part}</span>)}</span>;
}

/** The account for the phone's camera, drawn as one path. */
function QrCode({ once, sheet }: { once: Once; sheet: Sheet }) {
  const t = useWords();
  const { size, path } = useMemo(() => {
    const { data, size } = encode(phoneCode(once, sheet), { ecc: "L", border: 2 });
    return { size, path: data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("") };
  }, [once, sheet]);
  return <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t("people.sheetCode", { number: once.number })} shapeRendering="crispEdges"><rect width={size} height={size} fill="#fff" /><path d={path} fill="#000" /></svg>;
}

/** The sheet as lines of text, for a message to the person. */
function asText(once: Once, t: Translate): string {
  const lines = [`${once.number} ${once.name}`];
  if (once.sheet) {
    const { user, password, domain, proxy, transport } = once.sheet;
    lines.push(t("people.sheetPhone"), ...[["people.sheetUser", user], ["people.sheetPassword", password], ["people.sheetDomain", domain], ["people.sheetProxy", proxy], ["people.sheetTransport", transport.toUpperCase()]].map(([key, value]) => `  ${t(key as "people.sheetUser")}: ${value}`));
  }
  if (once.password !== undefined) lines.push(t("people.sheetConsole"), `  ${t("people.sheetAddress")}: ${window.location.origin}`, `  ${t("people.login")}: ${once.login}`, `  ${t("people.sheetPassword")}: ${once.password}`);
  return lines.join("\n");
}

/** The browser's own question, for a reload or a closed tab. */
export function useLeavingAsks(isOn: boolean): void {
  useEffect(() => {
    if (!isOn) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isOn]);
}

/** The console's question, for its own links and for Back. */
function AskBeforeLeaving({ isOn }: { isOn: boolean }) {
  const t = useWords();
  const blocker = useBlocker(({ currentLocation: from, nextLocation: to }) => isOn && (from.pathname !== to.pathname || from.search !== to.search));
  if (blocker.state !== "blocked") return null;
  return (
    <Dialog title={t("people.leaveTitle")} onClose={() => blocker.reset()}
      buttons={<><Button onClick={() => blocker.reset()}>{t("people.leaveStay")}</Button><Button kind="danger" onClick={() => blocker.proceed()}>{t("people.leaveGo")}</Button></>}>
      <p>{t("people.leaveHelp")}</p>
    </Dialog>
  );
}
