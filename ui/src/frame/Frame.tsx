import { lazy, Suspense, useEffect, useState } from "react";
import { NavLink, Outlet, useLocation, useMatches, useNavigate, useNavigation } from "react-router";
import { Button } from "../kit/Button";
import { Failed, Forbidden } from "../kit/States";
import { UndoBar } from "../kit/UndoBar";
import { KEYS } from "../keys/keys";
import { useKey } from "../keys/use-key";
import { openLive } from "../live/stores";
import { Drawers } from "../drawers/Drawers";
import { PAGES } from "../pages";
import type { Right } from "../rights";
import { MeContext, onStreamEnded, useIsExpired, useMe, useSession } from "../session";
import { useWords } from "../words";
import { AccountMenu, loadChangePassword } from "./AccountMenu";
import { ApprovalsBadge } from "./ApprovalsBadge";
import { AskPassword } from "./AskPassword";
import { LinkLines, LiveState, NewVersion, useMissedEvents } from "./LiveState";
import { NavMenu } from "./NavMenu";

const loadLockScreen = () => import("../pages/desk/LockScreen");
const LockScreen = lazy(async () => ({ default: (await loadLockScreen()).LockScreen }));
const loadPalette = () => import("./Palette");
const ExportBar = lazy(async () => ({ default: (await import("./ExportBar")).ExportBar }));
const Palette = lazy(async () => ({ default: (await loadPalette()).Palette }));

/** When the other pages are fetched, in ms after the first paint. */
const IDLE_AFTER = 3_000;

/** The frame of every page behind the sign-in: top navigation by right, state of the stream, lines about the service. */
export function Frame() {
  const { data: me, error, isPending, refetch } = useSession();
  const navigate = useNavigate();
  const { pathname, search } = useLocation();

  useEffect(() => {
    if (me === null) void navigate(`/sign-in?next=${encodeURIComponent(pathname + search)}`, { replace: true });
    else if (me) openLive(me.person.login, onStreamEnded);
  }, [me, navigate, pathname, search]);

  if (isPending || me === null) return null;
  if (!me) return <Failed problem={error} onRetry={() => void refetch()} />;
  return <MeContext value={me}><SignedIn /></MeContext>;
}

function SignedIn() {
  const t = useWords();
  const { rights, person } = useMe();
  const [isFinding, setFinding] = useState(false);
  const isExpired = useIsExpired();
  useKey(KEYS.find, () => setFinding(true));
  useIdleFetch(rights);
  useMissedEvents();
  const entries = PAGES.filter((page) => page.entry !== undefined && rights.has(page.right));
  return (
    <>
      <a className="skip" href="#main">{t("frame.skip")}</a>
      <header className="top">
        <NavLink className="brand" to="/"><img src="/favicon.svg" alt="" />Paceline</NavLink>
        <nav aria-label={t("frame.navigation")}>
          {entries.filter((page) => page.menu === undefined).map((page) => <NavLink key={page.path} to={`/${page.path}`}>{t(page.entry ?? "frame.today")}</NavLink>)}
          <NavMenu title={t("kit.resources")} pages={entries.filter((page) => page.menu === "resources")} />
          <NavMenu title={t("kit.admin")} pages={entries.filter((page) => page.menu === "admin")} />
        </nav>
        <span className="space" />
        <span className="find">
          <Button kind="plain" size="small" keys="Control+K" onClick={() => setFinding(true)}>{t("frame.find")} <kbd>Ctrl K</kbd></Button>
        </span>
        <NewVersion />
        {rights.has("approvals.decide") ? <ApprovalsBadge /> : null}
        <LiveState />
        <AccountMenu />
      </header>
      <LinkLines />
      <main id="main" tabIndex={-1}><Page /></main>
      <UndoBar />
      {rights.has("exports.make") ? <Suspense><ExportBar /></Suspense> : null}
      <Drawers />
      {isFinding ? <Suspense><Palette onClose={() => setFinding(false)} /></Suspense> : null}
      {isExpired ? <AskPassword /> : person.locked ? <Suspense><LockScreen /></Suspense> : null}
    </>
  );
}

/** Fetches the pages that the account may open once the first one stands: a tab that is open during an upgrade goes on working. */
function useIdleFetch(rights: ReadonlySet<Right>) {
  // The palette does not wait for idle time: people type as soon as they have asked for it.
  useEffect(() => void loadPalette().catch(() => undefined), []);
  useEffect(() => {
    const pages = PAGES.filter((page) => rights.has(page.right)).flatMap((page) => [page, ...(page.children ?? [])]);
    // A chunk that does not come now is asked for again when its page is opened.
    const timer = setTimeout(() => [...pages.map((page) => page.load), loadChangePassword].forEach((load) => void load().catch(() => undefined)), IDLE_AFTER);
    return () => clearTimeout(timer);
  }, [rights]);
}

/** The page, or which right it takes. */
function Page() {
  const { rights, person } = useMe();
  const needed = useMatches().map((match) => (match.handle as { right?: Right } | undefined)?.right).filter((right) => right !== undefined);
  const missing = needed.find((right) => !rights.has(right));
  const { state } = useNavigation();
  if (missing !== undefined) return <Forbidden right={missing} role={person.role} />;
  // The old page stays while the next one's chunk comes; dimmed, so that the click is seen to have worked.
  return <div className={state === "loading" ? "stale" : undefined}><Outlet /></div>;
}

