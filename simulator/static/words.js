// The page's own words, English and Traditional Chinese.

const WORDS = {
    title: ["QFPay terminal simulator", "QFPay 終端機模擬器"],
    language: ["中文", "English"],
    terminal: ["Terminal", "終端機"],
    keyboard: [
        "The letters on the keys work on the keyboard too; 1 to 9 choose a terminal.",
        "按鍵上的字母可用鍵盤輸入；1 至 9 選擇終端機。",
    ],
    live: ["live", "即時"],
    lost: ["The simulator does not answer", "模擬器沒有回應"],
    approve: ["Approve", "批准"],
    decline: ["Decline", "拒絕"],
    cancel: ["Cancel", "取消"],
    timeout: ["Time-out", "逾時"],
    home: ["Home", "主頁"],
    settings: ["Settings", "設定"],
    trades: ["Book of trades", "交易記錄"],
    log: ["Requests", "請求記錄"],
    ready: ["Ready", "準備就緒"],
    welcome: ["Welcome", "歡迎光臨"],
    waiting: ["Waiting for the till", "等候收銀機"],
    present: ["Tap, insert or swipe the card", "請拍卡、插卡或刷卡"],
    shown: ["Scan the code with your phone", "請用手機掃描二維碼"],
    scanned: ["Hold your payment code to the camera", "請將付款碼對準鏡頭"],
    processing: ["Processing, please wait", "處理中，請稍候"],
    acted: ["One moment", "請稍候"],
    refunding: ["Refunding", "正在退款"],
    refund_asked: ["Refund this amount?", "退回此金額？"],
    refund: ["Refund", "退款"],
    payment: ["Payment", "付款"],
    "print receipt": ["Receipt", "收據"],
    "print summary": ["Summary", "交易總結"],
    approved: ["Approved", "交易成功"],
    declined: ["Declined", "交易被拒"],
    cancelled: ["Cancelled", "已取消"],
    refunded: ["Refunded", "已退款"],
    printed: ["Printed", "已列印"],
    unreachable: ["Network off: the till cannot reach this terminal", "網絡已斷開：收銀機無法連線"],
    seconds: ["s", "秒"],
    customer_group: ["The customer", "顧客"],
    fault_group: ["Something goes wrong", "製造故障"],
    wire_group: ["On the wire", "網絡與格式"],
    terminal_group: ["The terminal", "終端機"],
    arrival: ["When the request arrives", "收到請求時"],
    job: ["While the customer pays", "顧客付款時"],
    answer: ["In the answer", "回覆時"],
    no_fault: ["none", "沒有"],
    no_fault_help: ["Everything works.", "一切正常。"],
    choice_manual: ["You press a button", "由您按鍵"],
    choice_approve: ["Approves", "批准"],
    choice_decline: ["Declines", "拒絕"],
    choice_cancel: ["Cancels", "取消"],
    choice_timeout: ["Lets the time run out", "任其逾時"],
    default_choice: ["as usual", "按慣例"],
    yes: ["yes", "是"],
    no: ["no", "否"],
    none: ["none", "無"],
    saved: ["Saved", "已儲存"],
    reset: ["Reset this terminal", "重設此終端機"],
    reset_help: [
        "Ends its job and empties its book, log and settings.",
        "結束工作，並清空其交易、記錄及設定。",
    ],
    reset_done: ["The terminal is like new.", "終端機已重設。"],
    no_trades: ["No trades yet.", "尚未有交易。"],
    no_log: ["No requests yet.", "尚未有請求。"],
    time: ["Time", "時間"],
    kind: ["Trade", "交易"],
    amount: ["Amount", "金額"],
    host_code: ["Code", "代碼"],
    numbers: ["Reference, QFPay number", "銷售編號、QFPay 編號"],
    card: ["Card", "卡"],
    left: ["Refundable", "可退款"],
    command: ["Command", "指令"],
    content: ["Content", "內容"],
    answered: ["Answer", "回覆"],
    fault: ["Fault", "故障"],
    took: ["Took", "需時"],
    code_0000: ["paid", "已付款"],
    code_1143: ["not paid yet", "尚未付款"],
    code_1145: ["processing", "處理中"],
    code_1181: ["expired", "已過期"],
    code_1263: ["cancelled", "已取消"],
    code_other: ["failed", "失敗"],
};

let language = localStorage.getItem("language");
if (language !== "en" && language !== "zh") {
    language = navigator.language.startsWith("zh") ? "zh" : "en";
}

/** The language that is shown: "en" or "zh". */
export function currentLanguage() {
    return language;
}

/** Show the other language from now on. */
export function switchLanguage() {
    language = language === "en" ? "zh" : "en";
    localStorage.setItem("language", language);
}

/** A word of the page in the language that is shown. */
export function word(name) {
    const pair = WORDS[name];
    return pair ? pair[language === "zh" ? 1 : 0] : name;
}

/** Whether the page has its own word for this. */
export function hasWord(name) {
    return name in WORDS;
}

/** A text that came from the simulator in both languages, as {en, zh}. */
export function either(texts) {
    return texts[language] || texts.en;
}
