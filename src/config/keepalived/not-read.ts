/** The blocks of a `keepalived.conf` that tsha reads; `file` is the top level. */
export type BlockName =
  | 'file'
  | 'global_defs'
  | 'vrrp_instance'
  | 'vrrp_sync_group'
  | 'vrrp_script'
  | 'vrrp_track_process'
  | 'vrrp_track_file'
  | 'authentication'
  | 'auth_hmac'
  | 'garp_group'

type Reasons = Readonly<Record<string, string>>

const SMTP = 'tsha sends no mail; use notify and a script that does'
const SNMP = 'tsha has no SNMP; remove it'
const DBUS = 'tsha has no D-Bus; use notify or vrrp_notify_fifo'
const VMAC =
  'tsha uses the MAC address of the interface and tells it by gratuitous ARP; remove it on both directors'
const IPVS = 'tsha is a proxy and has no IPVS; use nginx.conf or tsha.yaml for the servers'
const BFD = 'tsha has no BFD; use a shorter advert_int with version 3'
const STRICT = 'it drops packets to the virtual address, which no proxy can do without; remove it'
const ROUTES =
  'tsha moves addresses alone; set routes and rules in the system or in a notify script'
const STATIC = "that belongs to the system's own network configuration; move it there"
const LINKBEAT = 'tsha follows the link as the kernel tells it; remove it'
const GARP_EXTRA = 'tsha announces on the interface of each address; use garp_master_refresh'
const NAMESPACE = 'start tsha in the namespace: ip netns exec, or NetworkNamespacePath= in its unit'
const STARTUP = 'use ExecStartPre= and ExecStopPost= in the systemd unit'

/** Directives that keepalived knows and tsha does not carry out: the reason, and what to do. */
export const REFUSED: Readonly<Record<BlockName, Reasons>> = {
  file: {
    bfd_instance: BFD,
    linkbeat_interfaces: LINKBEAT,
    linkbeat_use_polling: LINKBEAT,
    net_namespace: NAMESPACE,
    net_namespace_ipvs: IPVS,
    SSL: IPVS,
    static_ipaddress: STATIC,
    static_routes: STATIC,
    static_rules: STATIC,
    track_group: STATIC,
    virtual_server: IPVS,
    virtual_server_group: IPVS
  },
  global_defs: {
    dbus_no_interface_name: DBUS,
    dbus_service_name: DBUS,
    disable_local_igmp: 'the kernel joins and leaves the group; remove it',
    enable_dbus: DBUS,
    enable_snmp_checker: SNMP,
    enable_snmp_keepalived: SNMP,
    enable_snmp_rfc: SNMP,
    enable_snmp_rfcv2: SNMP,
    enable_snmp_rfcv3: SNMP,
    enable_snmp_vrrp: SNMP,
    enable_traps: SNMP,
    lvs_flush: IPVS,
    lvs_flush_on_stop: IPVS,
    lvs_notify_fifo: IPVS,
    lvs_notify_fifo_script: IPVS,
    lvs_sync_daemon: IPVS,
    lvs_timeouts: IPVS,
    no_email_faults: SMTP,
    notification_email: SMTP,
    notification_email_from: SMTP,
    shutdown_script: STARTUP,
    shutdown_script_timeout: STARTUP,
    smtp_alert: SMTP,
    smtp_alert_checker: SMTP,
    smtp_alert_vrrp: SMTP,
    smtp_connect_timeout: SMTP,
    smtp_helo_name: SMTP,
    smtp_server: SMTP,
    snmp_socket: SNMP,
    startup_script: STARTUP,
    startup_script_timeout: STARTUP,
    vrrp_garp_extra_if: GARP_EXTRA,
    vrrp_strict: STRICT
  },
  vrrp_instance: {
    garp_extra_if: GARP_EXTRA,
    linkbeat_use_polling: LINKBEAT,
    lvs_sync_daemon_interface: IPVS,
    no_accept: STRICT,
    no_virtual_ipaddress: 'an election without an address moves nothing; remove the instance',
    old_unicast_checksum: 'it is for keepalived before 1.3.6; update the partner',
    smtp_alert: SMTP,
    strict_mode: STRICT,
    track_bfd: BFD,
    unicast_fault_no_peer: 'unicast needs a peer; name it in unicast_peer',
    use_ipvlan: VMAC,
    use_vmac: VMAC,
    use_vmac_addr: VMAC,
    virtual_routes: ROUTES,
    virtual_rules: ROUTES,
    vmac_garp_intvl: VMAC,
    vmac_xmit_base: VMAC,
    vrf: 'use the interface inside of the VRF'
  },
  vrrp_sync_group: {
    smtp_alert: SMTP,
    track_bfd: BFD
  },
  vrrp_script: {},
  vrrp_track_process: {},
  vrrp_track_file: {},
  authentication: {},
  auth_hmac: {},
  garp_group: {}
}

const SPEED = 'tsha chooses this itself'
const NO_PROCESS = 'tsha has no such process'
const NO_FILE = 'tsha writes no such file'
const VMAC_NAMES = 'it changes nothing without use_vmac'
const FIREWALL = 'it changes nothing without use_vmac and vrrp_strict'
const ALWAYS = 'tsha always does this'

/** Directives without a meaning for tsha: why nothing is lost. */
export const IGNORED: Readonly<Record<BlockName, Reasons>> = {
  file: {
    child_wait_time: SPEED,
    instance: NO_FILE,
    namespace_with_ipsets: FIREWALL,
    use_pid_dir: NO_FILE
  },
  global_defs: {
    bfd_cpu_affinity: NO_PROCESS,
    bfd_no_swap: NO_PROCESS,
    bfd_priority: NO_PROCESS,
    bfd_process_name: NO_PROCESS,
    bfd_rlimit_rttime: NO_PROCESS,
    bfd_rt_priority: NO_PROCESS,
    checker_cpu_affinity: NO_PROCESS,
    checker_log_all_failures: NO_PROCESS,
    checker_no_swap: NO_PROCESS,
    checker_priority: NO_PROCESS,
    checker_process_name: NO_PROCESS,
    checker_rlimit_rttime: NO_PROCESS,
    checker_rt_priority: NO_PROCESS,
    config_save_dir: NO_FILE,
    data_use_instance: NO_FILE,
    default_interface: 'it is for static addresses alone',
    dynamic_interfaces: ALWAYS,
    fifo_write_vrrp_states_on_reload: 'a reload tells of changes only',
    include_check: 'a file of include that is missing is always refused',
    iproute_etc_dir: NO_FILE,
    iproute_usr_dir: NO_FILE,
    json_dump_file: NO_FILE,
    json_version: NO_FILE,
    max_auto_priority: SPEED,
    min_auto_priority_delay: SPEED,
    nftables: FIREWALL,
    nftables_counters: FIREWALL,
    nftables_ifindex: FIREWALL,
    nftables_priority: FIREWALL,
    no_checker_emails: NO_PROCESS,
    process_monitor_rcv_bufs: SPEED,
    process_monitor_rcv_bufs_force: SPEED,
    process_name: 'the process is named tsha',
    process_names: 'the process is named tsha',
    random_seed: 'it is for tests of keepalived',
    reload_check_config: 'always: a wrong configuration is refused, and the old one stays',
    reload_file: 'a reload reads the files that the director was started with',
    reload_repeat: 'always: SIGHUP during a reload is answered by one more after it',
    reload_time_file: 'no reload at a set time',
    state_dump_file: NO_FILE,
    stats_dump_file: NO_FILE,
    tmp_config_directory: NO_FILE,
    umask: NO_FILE,
    use_symlink_paths: 'the path of a script is used as it is written',
    vmac_addr_prefix: VMAC_NAMES,
    vmac_prefix: VMAC_NAMES,
    vrrp_cpu_affinity: SPEED,
    vrrp_ipsets: FIREWALL,
    vrrp_iptables: FIREWALL,
    vrrp_netlink_cmd_rcv_bufs: SPEED,
    vrrp_netlink_cmd_rcv_bufs_force: SPEED,
    vrrp_netlink_monitor_rcv_bufs: SPEED,
    vrrp_netlink_monitor_rcv_bufs_force: SPEED,
    vrrp_process_name: 'the process is named tsha',
    vrrp_rlimit_rttime: SPEED,
    vrrp_rx_bufs_multiplier: SPEED,
    vrrp_rx_bufs_policy: SPEED,
    vrrp_skip_check_adv_addr:
      'a list of addresses that differs never makes tsha drop an advertisement'
  },
  vrrp_instance: {
    accept: ALWAYS,
    debug: 'tsha logs every change of state, and why',
    kernel_rx_buf_size: SPEED,
    skip_check_adv_addr: 'a list of addresses that differs never makes tsha drop an advertisement',
    thread_timer_expired: ALWAYS,
    timer_expired_backup: ALWAYS,
    track_src_ip: 'without the source of its advertisements tsha always leaves the election'
  },
  vrrp_sync_group: {},
  vrrp_script: {},
  vrrp_track_process: {},
  vrrp_track_file: {},
  authentication: {},
  auth_hmac: {},
  garp_group: {}
}
