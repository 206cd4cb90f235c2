"""The county's directory of operators (监管主体目录): who must be in it, what is wanting, who has no code in use."""
