import { liveSeat, useHasSnapshot } from "../../live/stores";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import { useAccounts } from "../people/data";

/**
 * An account by its number: "you", its name where the reader may read accounts or see its seat, else the number.
 * @param isNeeded whether there is any number to name
 */
export function usePersonName(isNeeded = true): (number: string | null) => string {
  const t = useWords();
  const { person, rights } = useMe();
  // Seats come with the live stream: names are known once it has begun.
  useHasSnapshot();
  const { data: accounts } = useAccounts(isNeeded && rights.has("people.read"));
  return (number) => {
    if (number === null) return t("common.none");
    if (number === person.number) return t("audio.you");
    const name = accounts?.find((it) => it.number === number)?.name ?? liveSeat(number)?.name;
    return name ? `${visible(name)} ${number}` : number;
  };
}
