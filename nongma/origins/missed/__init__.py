"""Who has to be collected and is not (漏采). Source: 农质安（溯）函〔2023〕72号, 三 and 五(四): 不得漏采溯源信息."""
