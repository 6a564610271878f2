export const today = {
  "today.title": "今天",
  "today.needsYou": "需要处理",
  "today.nothing": "今天没有需要处理的事",
  "today.running": "运行中",
  "today.summary": "打开的活动 {all} · 运行 {running}",
  "today.seeCampaign": "查看活动",
  "today.trunkDown": "线路 {name} 不可用",
  "today.trunks": "线路",
  "today.trunkCalls": "{n}/{max} 路",
  "today.noTrunks": "没有线路:正在使用模拟运营商,不会拨出真实电话。",
  "today.noneRunning": "没有运行中的活动",
  "today.allCampaigns": "全部活动",
} as const;
