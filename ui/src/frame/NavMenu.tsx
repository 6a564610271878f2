import { useNavigate, useLocation } from "react-router";
import { Menu } from "../kit/Menu";
import type { Page } from "../pages";
import { useWords } from "../words";

/** Pages of the navigation that stand together under one word. */
export function NavMenu({ title, pages }: { title: string; pages: readonly Page[] }) {
  const t = useWords();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  if (pages.length === 0) return null;
  const isHere = (page: Page) => pathname === `/${page.path}` || pathname.startsWith(`/${page.path}/`);
  return (
    <div className={pages.some(isHere) ? "nav-menu here" : "nav-menu"}>
      <Menu kind="plain" align="start" entries={pages.map((page) => ({ id: page.path, label: t(page.entry ?? "frame.today"), chosen: isHere(page), onChoose: () => void navigate(`/${page.path}`) }))}>
        {title} <span aria-hidden="true">▾</span>
      </Menu>
    </div>
  );
}
