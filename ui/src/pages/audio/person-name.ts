import { useMe } from "../../session";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import { useAccounts } from "../people/data";

/** An account by its number: "you", its name where the reader may read accounts, else the number. */
export function usePersonName(): (number: string | null) => string {
  const t = useWords();
  const { person, rights } = useMe();
  const { data: accounts } = useAccounts(rights.has("people.read"));
  return (number) => {
    if (number === null) return t("common.none");
    if (number === person.number) return t("audio.you");
    const name = accounts?.find((it) => it.number === number)?.name;
    return name ? `${visible(name)} ${number}` : number;
  };
}
