/**
 * The check's hints and warnings are English sentences of the service. Those that are known are shown in Chinese too; a sentence
 * that a newer service adds stays English. `lists.test.ts` compares them with the service's source. Pure.
 */
import type { Language } from "../../words";
import { visible } from "../../words/format";
import { withWidePunctuation } from "../../words/width";

export const CHINESE: readonly [RegExp, string][] = [
  [/^(\d+) digits: a mobile number has 11$/, "$1 位:手机号码应为 11 位"],
  [/^(\d+) digits are too many: .*/, "$1 位太多:手机号码 11 位,固定电话连区号 10 至 12 位"],
  [/^(\d+) is an emergency or service number and is never dialled from a list$/, "$1 是紧急或服务号码,不会从名单拨打"],
  [/^a spreadsheet shortened the number to (.+): its last digits are lost\. Format the column as text and paste the numbers again$/, "表格软件把号码缩成了 $1,末几位已丢失:请把该列设为文本格式,再粘贴号码"],
  [/^no phone number in the cell$/, "没有号码"],
  [/^no digits in the cell$/, "没有数字"],
  [/^a plus sign stands only at the start of a number$/, "加号只能在号码开头"],
  [/^no phone number in the row$/, "这一行没有号码"],
  [/^the same number stands in row (\d+)$/, "与第 $1 行号码相同"],
  [/^the same number stands in (.+)$/, "与 $1 号码相同"],
  [/^on the blacklist (.+)$/, "在黑名单 $1 中"],
  [/^a landline without its area code: .*/, "固定电话缺少区号:请写上区号"],
  [/^a landline without its leading zero\? Write (\d+) if that is the number$/, "固定电话少了开头的 0?若是,请写成 $1"],
  [/^(\d+) is no Chinese mobile, landline or 400 number$/, "$1 不是国内手机、固定电话或 400 号码"],
  [/^(\d+) is no number of any known country$/, "$1 不是任何国家的号码"],
  [/^'(.+)' does not belong in a phone number$/, "号码里不应有“$1”"],
  [/^(\d+) characters are no phone number$/, "$1 个字符,不是号码"],
  [/^the row has (\d+) cells, the header (\d+): .*/, "这一行有 $1 格,表头 $2 格:含分隔符的内容要加引号"],
  [/^a quotation mark is opened and not closed.*/, "引号没有成对:请删去或补上"],
  [/^the row is longer than 128 KiB.*/, "这一行超过 128 KiB:是否缺少换行?"],
  [/^row with fewer cells than the header$/, "格数少于表头的行"],
  [/^row with more than 20 numbers: the rest is left out$/, "号码超过 20 个的行:多出的未取"],
  [/^lead that lost one of its numbers: invalid_number$/, "有一个号码不对而被去掉的客户"],
  [/^lead that lost one of its numbers: duplicate$/, "有一个号码重复而被去掉的客户"],
  [/^lead that lost one of its numbers: blacklisted$/, "有一个号码在黑名单而被去掉的客户"],
  [/^lead that lost one of its numbers: emergency_number$/, "有一个紧急或服务号码被去掉的客户"],
  [/^floor area that is no number of square metres$/, "面积不是数字"],
  [/^number in a range that the number plan does not use \(yet\)$/, "未启用号段的号码"],
  [/^number that ends in seven zeros.*/, "末尾七个零的号码:是否被表格软件四舍五入?"],
  [/^(\d+) rows are hidden or filtered out and were left out$/, "$1 行被隐藏或筛掉,未读入"],
  [/^(\d+) formulas without a saved value.*/, "$1 个公式没有保存结果:请用表格软件打开并另存"],
  [/^(\d+) broken characters.*/, "$1 个字符读不出:是否用另一种编码保存?"],
  [/^column '(.+)' holds numbers that are not dialled.*/, "列“$1”里有号码但不拨打:要拨打,请在上面选为号码"],
];

/** A sentence of the check: a hint before its row's column name stays (`手机: 3 digits …`). */
export function checkWords(sentence: string, language: Language): { text: string; lang: Language } {
  if (language === "en") return { text: visible(sentence), lang: "en" };
  const column = /^([^:]{1,128}): (.+)$/.exec(sentence);
  for (const [head, rest] of [["", sentence], ...(column ? [[`${column[1]}：`, column[2] ?? ""] as const] : [])] as const) {
    for (const [pattern, words] of CHINESE) if (pattern.test(rest)) return { text: visible(head + rest.replace(pattern, withWidePunctuation(words))), lang: "zh" };
  }
  return { text: visible(sentence), lang: "en" };
}
