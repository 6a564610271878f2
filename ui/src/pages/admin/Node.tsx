import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { NodeSettings } from "./NodeSettings";

/** `/config`: the node's configuration for an operator who does not run an organisation. */
export default function Node() {
  const t = useWords();
  useTitle(t("organisation.node"));
  return <><div className="page-head"><h1>{t("organisation.node")}</h1></div><NodeSettings /></>;
}
