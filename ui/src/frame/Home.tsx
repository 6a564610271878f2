import { Navigate } from "react-router";
import { Gone } from "../kit/States";
import { PAGES } from "../pages";
import { useMe } from "../session";
import { useWords } from "../words";

/** `/` leads to what the account sees first: its own role's page, else the first it may open. */
export function Home() {
  const t = useWords();
  const { rights, person } = useMe();
  const first = person.role === "agent" ? "desk" : person.role === "lead" ? "floor" : "today";
  const open = PAGES.filter((page) => page.entry !== undefined && rights.has(page.right));
  const page = open.find((it) => it.path === first) ?? open[0];
  return page ? <Navigate to={`/${page.path}`} replace /> : <Gone>{t("frame.noPages")}</Gone>;
}
