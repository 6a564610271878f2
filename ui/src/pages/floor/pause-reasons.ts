/** The organisation's labels of its pause reasons. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { get } from "../../api/call";
import { hasWord, useLanguage, useWords } from "../../words";
import { visible } from "../../words/format";

/** Labels change seldom: they are not read again for so long, in ms. */
const STANDS = 60_000;

/** What a pause is shown with: a word of the service, the organisation's label, else what a person typed. */
export function useReasonWords(): (reason: string) => string {
  const t = useWords();
  const language = useLanguage();
  const { data } = useQuery({ queryKey: ["pause-reasons"], queryFn: ({ signal }) => get("/api/v1/pause-reasons", { signal }), staleTime: STANDS });
  const items = data?.items;
  return useCallback((reason) => {
    const key = `floor.reason.${reason}`;
    if (hasWord(key)) return t(key);
    return visible(items?.find((it) => it.code === reason)?.label[language] ?? reason);
  }, [t, language, items]);
}
