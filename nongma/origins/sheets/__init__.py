"""What leaves on paper: 附件1 in the official layout, and wall sheets (挂图作战)."""
