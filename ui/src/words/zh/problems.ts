/** Sentences by the `code` of a problem. A code that is not here shows the service's own `detail`. */
export const problems = {
  "problem.offline": "服务器没有应答:检查网络,然后重试",
  "problem.wrong_password": "登录名或密码不对",
  "problem.slow_down": "尝试太多次,{n} 秒后再试",
  "problem.forbidden": "没有这项权限,请联系管理员",
  "problem.not_found": "没有找到,可能已被删除",
  "problem.sign_in_first": "登录已过期:请重新登录",
  "problem.campaign_closed": "活动未开放",
  "problem.number_refused": "此号码不能拨打",
  "problem.store_stalled": "存储无法写入,已停止外呼",
  "problem.changed": "有人刚改过:请比较后再应用",
  "problem.full": "打开的页面太多,请关闭不用的页面",
  "problem.too_large": "内容太大,请拆分",
  "problem.unavailable": "暂时做不到,已记入日志;稍后重试",
  "problem.locked": "已锁屏",
  "problem.already_done": "已经有管理员账户:请登录",
  "problem.other": "没有完成({code})",
} as const;
