"""The operator's code to hang up and hand out (主体码牌): a card and a door-plate."""
