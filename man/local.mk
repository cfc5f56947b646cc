dist_man_MANS += %D%/fathom-protocol.5
