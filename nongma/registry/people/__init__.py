"""The people of an operator (主体人员): who may act for it, staff added and ended, the 负责人 handed on."""
