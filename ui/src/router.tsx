/** Paths of the console. Each page is a chunk of its own, fetched when it is opened, or in idle time. */
import { createBrowserRouter, type RouteObject } from "react-router";
import { Fault } from "./frame/Fault";
import { Frame } from "./frame/Frame";
import { Home } from "./frame/Home";
import { GonePage } from "./frame/GonePage";
import { PAGES } from "./pages";
import { loadWholeCatalogue } from "./words";

const pages: RouteObject[] = PAGES.map((page) => ({
  path: page.path,
  handle: { right: page.right },
  lazy: async () => ({ Component: (await page.load()).default }),
  ...(page.children
    ? { children: page.children.map((child) => ({ path: child.path, handle: { right: child.right }, lazy: async () => ({ Component: (await child.load()).default }) })) }
    : {}),
}));

export const router = createBrowserRouter([
  { path: "/sign-in", ErrorBoundary: Fault, lazy: async () => ({ Component: (await import("./pages/entry/SignIn")).default }) },
  { path: "/welcome", ErrorBoundary: Fault, loader: () => loadWholeCatalogue().then(() => null), lazy: async () => ({ Component: (await import("./pages/entry/Welcome")).default }) },
  {
    path: "/",
    Component: Frame,
    ErrorBoundary: Fault,
    HydrateFallback: () => null,
    loader: () => loadWholeCatalogue().then(() => null),
    children: [{ index: true, Component: Home }, ...pages, { path: "*", Component: GonePage }],
  },
]);
