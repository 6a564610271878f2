export const ladder = {
  "ladder.title": "这通电话的过程",
  "ladder.time": "时间",
  "ladder.carrier": "运营商",
  "ladder.meaning": "含义",
  "ladder.out": "发出",
  "ladder.in": "收到",
  "ladder.note": "记录",
  "ladder.gap": "省略",
  "ladder.again": "重发",
  "ladder.live": "进行中",
  "ladder.none": "这通电话没有留下过程记录:它被中断,或早于过程记录功能。",
} as const;
