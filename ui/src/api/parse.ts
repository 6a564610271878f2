/** JSON of the service. Its Chinese sentences come with narrow punctuation and are shown with wide. */
import { wideSentence } from "../words/width";

/** @throws SyntaxError */
export const parseAnswer = (text: string): unknown => JSON.parse(text, (key, value: unknown) => (key === "zh" && typeof value === "string" ? wideSentence(value) : value));
