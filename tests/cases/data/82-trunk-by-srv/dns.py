import socket,struct,sys
P=int(sys.argv[1]); 
def name(n): return b''.join(bytes([len(x)])+x.encode() for x in n.split('.'))+b'\0'
late=0
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind((sys.argv[2],53)); s.settimeout(40)
while True:
    try: d,a=s.recvfrom(2000)
    except Exception: break
    i=12; q=[]
    while d[i]: q.append(d[i+1:i+1+d[i]].decode()); i+=d[i]+1
    n='.'.join(q).lower(); t=struct.unpack('!H',d[i+1:i+3])[0]; qq=d[12:i+5]; an=[]
    if n=='_sip._udp.carrier.test' and t==33: an.append((33,struct.pack('!HHH',1,1,P)+name('t1.carrier.test')))
    if n=='t1.carrier.test' and t==1: an.append((1,bytes([127,0,0,1])))
    if n=='two.carrier.test' and t==1: an+= [(1,bytes([127,0,0,99])),(1,bytes([127,0,0,1]))]
    if n=='late.carrier.test' and t==1:
        late+=1
        if late>1: an.append((1,bytes([127,0,0,1])))
    print(n,t,len(an),flush=True)
    known=n.endswith('carrier.test')
    r=d[:2]+struct.pack('!HHHHH',0x8180|(0 if known else 3),1,len(an),0,0)+qq
    for ty,rd in an: r+=b'\xc0\x0c'+struct.pack('!HHIH',ty,1,5,len(rd))+rd
    s.sendto(r,a)
