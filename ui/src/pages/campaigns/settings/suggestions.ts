import { useSession } from "../../../session";
import { useGroups } from "../../people/data";
import { useSounds } from "../../audio/data";
import type { Kind } from "./fields";

/** Names to choose from, as far as the reader may see them. */
export function useSuggestions(kind: Kind["kind"]): string[] {
  const rights = useSession().data?.rights;
  const groups = useGroups(kind === "group" && rights?.has("people.read") === true).data;
  const sounds = useSounds(kind === "audio" && rights?.has("audio.edit") === true).data;
  if (kind === "group") return groups?.map((it) => it.name) ?? [];
  return kind === "audio" ? [...new Set(sounds?.pages.flatMap((page) => page.items).filter((it) => it.state !== "retired").map((it) => it.name))] : [];
}
